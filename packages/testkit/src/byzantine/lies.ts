import type { EngineHost, EngineJob, EngineResult, WorkerDependencies } from '@commonweight/node';
import { CommonweightError, limits, sha256 } from '@commonweight/protocol';
import { openInProcess } from './in-process-engine.ts';
import type { ByzantineStrategy } from './strategies.ts';
import { slight, strong, tamperedSource } from './tampered-source.ts';

/** Tokens that a liar delivers truly before it lies. */
const TRUE_TOKENS = 3;
/** Tokens after which an answer breaks off: a few more than its second checkpoint covers. */
const BROKEN_TOKENS = limits.checkpointTokens + 5;
/** Tokens that are billed and were never delivered. */
const PHANTOM_TOKENS = 5;

/** What a worker is started with to lie in this way. */
export function dependenciesOf(strategy: ByzantineStrategy): WorkerDependencies {
  switch (strategy) {
    case 'tampered-model':
      return { openEngine: (dir) => openInProcess(dir, (manifest, source) => tamperedSource(manifest, source, slight(manifest))) };
    case 'tampered-then-prefill':
      return { openEngine: openTamperedThenPrefill };
    case 'edit-token':
      return { openEngine: lying(editToken) };
    case 'shorten-answer':
      return { openEngine: lying(shorten) };
    case 'early-stop':
      return { openEngine: lying(stopEarly) };
    case 'other-prompt':
      return { openEngine: lying((engine) => withJob(engine, (job) => ({ ...job, promptIds: changeOne(job.promptIds, engine) }))) };
    case 'other-seed':
      return { openEngine: lying((engine) => withJob(engine, (job) => ({ ...job, prfKey: sha256(job.prfKey) }))) };
    case 'other-temperature':
      return { openEngine: lying((engine) => withJob(engine, otherTemperature)) };
    case 'break-off':
      return { openEngine: lying(breakOff) };
    case 'over-count':
      return {
        openEngine: (dir) => openInProcess(dir),
        beforeSign: (receipt) => ({ ...receipt, completionTokens: receipt.completionTokens + PHANTOM_TOKENS }),
      };
  }
}

type Run = EngineHost['run'];

const lying =
  (lie: (engine: EngineHost) => Run) =>
  async (packageDir: string): Promise<EngineHost> => {
    const engine = await openInProcess(packageDir);
    return { ...engine, run: lie(engine) };
  };

const withJob =
  (engine: EngineHost, change: (job: EngineJob) => EngineJob): Run =>
  (job, events, signal) =>
    engine.run(change(job), events, signal);

const otherTemperature = (job: EngineJob): EngineJob => ({
  ...job,
  sampler: { ...job.sampler, temperature: job.sampler.temperature === 0 ? 1_000_000 : 0 },
});

/** Another id that is plain text: the one after it in the vocabulary, and no stop id. */
const nextId = (id: number, { manifest: { graph, generation } }: EngineHost): number => {
  const next = (id + 1) % graph.vocabulary;
  return generation.stopIds.includes(next) ? (next + 1) % graph.vocabulary : next;
};

const changeOne = (ids: readonly number[], engine: EngineHost): readonly number[] => {
  const middle = Math.floor(ids.length / 2);
  return ids.map((id, i) => (i === middle ? nextId(id, engine) : id));
};

const editToken =
  (engine: EngineHost): Run =>
  async (job, events, signal) => {
    const edited = (id: number, index: number): number =>
      index === TRUE_TOKENS - 1 && !job.stopIds.includes(id) ? nextId(id, engine) : id;
    const result = await engine.run(
      job,
      { ...events, onToken: (index, id, logprobs) => events.onToken(index, edited(id, index), logprobs) },
      signal,
    );
    return { ...result, completionIds: result.completionIds.map(edited) };
  };

/** The answer of `editToken` that never comes to its end. */
const breakOff =
  (engine: EngineHost): Run =>
  async (job, events, signal) => {
    await editToken(engine)({ ...job, maxTokens: Math.min(job.maxTokens, BROKEN_TOKENS) }, events, signal);
    throw new CommonweightError('the engine stopped', { code: 'engine_stopped', action: 'retry' });
  };

/** Says `length` too early. */
const shorten =
  (engine: EngineHost): Run =>
  (job, events, signal) =>
    engine.run({ ...job, maxTokens: Math.min(job.maxTokens, TRUE_TOKENS) }, events, signal);

/** The stop id is never fed back, so the digests of the true tokens before it are the right ones. */
const stopEarly =
  (engine: EngineHost): Run =>
  async (job, events, signal) => {
    const [stopId] = job.stopIds;
    if (stopId === undefined || job.maxTokens <= TRUE_TOKENS) return engine.run(job, events, signal);
    const last = (id: number, index: number): number => (index === TRUE_TOKENS ? stopId : id);
    const result = await engine.run(
      { ...job, maxTokens: TRUE_TOKENS + 1 },
      { ...events, onToken: (index, id, logprobs) => events.onToken(index, last(id, index), logprobs) },
      signal,
    );
    const completionIds = result.completionIds.map(last);
    return { ...result, completionIds, finish: result.finish === 'length' ? 'stop_id' : result.finish };
  };

async function openTamperedThenPrefill(packageDir: string): Promise<EngineHost> {
  const tampered = await openInProcess(packageDir, (manifest, source) => tamperedSource(manifest, source, strong(manifest)));
  const right = await openInProcess(packageDir);
  return {
    ...right,
    run: async (job, events, signal): Promise<EngineResult> => {
      const decoded = await tampered.run(job, events, signal);
      if (decoded.completionIds.length === 0) return decoded;
      const promptIds = [...job.promptIds, ...decoded.completionIds.slice(0, -1)];
      const silent = { onQueued: () => undefined, onPrefill: () => undefined, onToken: () => undefined };
      // also after an abort: the payer's end wants a receipt
      const { digests } = await right.run({ ...job, promptIds, maxTokens: 1 }, silent, new AbortController().signal);
      return { ...decoded, digests };
    },
    close: async () => {
      await tampered.close();
      await right.close();
    },
  };
}
