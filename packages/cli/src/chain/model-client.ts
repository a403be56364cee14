import { type Chain, connectChain } from '@commonweight/chain';
import { type Address, type Hex32, type ModelId, isHex32, limits as protocolLimits } from '@commonweight/protocol';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../fault.ts';
import type { Output } from '../output.ts';
import { type SignerOptions, readSigner } from './signer.ts';
import { findTarget, foldersOf } from './target.ts';

/** A client that signs, and whose account therefore is known. */
export type SigningChain = Chain & { readonly account: Address };

/** What the commands of model owners share. */
export interface ModelContext {
  readonly output: Output;
  readonly reader: () => Promise<Chain>;
  readonly signer: () => Promise<SigningChain>;
  /** The folder of a package: a path, or the id of one in the data folder. */
  readonly folderOf: (model: string) => string;
  /** Tells what was done, or that it was so already. */
  readonly done: (event: string, changed: boolean, sentence: string, fields: Readonly<Record<string, unknown>>) => void;
}

export async function modelContext(options: SignerOptions, output: Output): Promise<ModelContext> {
  const target = await findTarget(options);
  const { chainId } = target.deployments;
  return {
    output,
    reader: () => connectChain({ ...target, chainId }),
    signer: async () => {
      const chain = await connectChain({ ...target, chainId, privateKey: await readSigner(options) });
      return { ...chain, account: chain.account! };
    },
    folderOf: (model) => {
      const folder = isHex32(model) ? join(foldersOf(options).models, model) : model;
      if (existsSync(join(folder, 'manifest.json'))) return folder;
      throw new UsageError(`${folder} holds no model package: name its folder, or the id of a model in the data folder.`);
    },
    done: (event, changed, sentence, fields) => {
      output.event(event, { changed, ...fields });
      output.print(changed ? sentence : `${sentence} (it was so already)`);
    },
  };
}

export function parseModelId(text: string): ModelId {
  const id = text.toLowerCase();
  if (!isHex32(id)) throw new UsageError(`expected a model id (0x and 64 hexadecimal digits), got ${text}.`);
  return id;
}

/** The bytes of a manifest, as the registry wants to see them: the file itself. */
export function readManifest(path: string): Uint8Array {
  const size = statSync(path).size;
  if (size > protocolLimits.manifestBytes)
    throw new UsageError(`${path}: expected a manifest of at most ${protocolLimits.manifestBytes} bytes, got ${size}.`);
  return readFileSync(path);
}

/** The weights of a published model; a model that is not published has no owner to act for it. */
export async function weightsOf(chain: Chain, id: string): Promise<Hex32> {
  const modelId = parseModelId(id);
  const record = await chain.modelInfo(modelId);
  if (record === undefined) throw new UsageError(`no model ${modelId} is published on this chain: commonweight model publish.`);
  return record.weightsRoot;
}
