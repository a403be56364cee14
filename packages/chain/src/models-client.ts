import { type Address, type Hex32, type ModelId, ZERO_ADDRESS } from '@commonweight/protocol';
import { type modelRegistryAbi } from './abis.gen.ts';
import { type ContractCaller } from './contract-caller.ts';
import { ChainError } from './errors.ts';
import { readPages } from './pages.ts';
import { type Submitter } from './submitter.ts';
import { lower } from './lower.ts';

export interface ModelPublication {
  readonly modelId: ModelId;
  /** Root over the weights: see the manifest. */
  readonly weightsRoot: Hex32;
  /** Where to fetch the manifest; at most 512 bytes; may be empty. */
  readonly manifestPointer: string;
  /** SHA-256 of the canonical card. */
  readonly cardDigest: Hex32;
  readonly cardPointer: string;
}

export interface ModelRecord extends ModelPublication {
  readonly owner: Address;
  /** Unix seconds. */
  readonly publishedAt: number;
}

export interface ModelsClient {
  /** Publishes a model, or updates its card, when it is not so already. @returns whether there was a transaction */
  publishModel(model: ModelPublication): Promise<boolean>;
  modelInfo(modelId: ModelId): Promise<ModelRecord | undefined>;
  modelOwner(modelId: ModelId): Promise<Address | undefined>;
  listModels(): Promise<ModelRecord[]>;
}

type Caller = ContractCaller<typeof modelRegistryAbi>;
type ModelView = Awaited<ReturnType<typeof readPage>>[number];
const readPage = (registry: Caller, offset: bigint, limit: bigint) => registry.read('modelsPage', [offset, limit]);

const toRecord = ({ modelId, owner, model }: ModelView): ModelRecord => ({
  modelId,
  owner: lower(owner),
  weightsRoot: model.weightsRoot,
  manifestPointer: model.manifestPointer,
  cardDigest: model.cardDigest,
  cardPointer: model.cardPointer,
  publishedAt: Number(model.publishedAt),
});

export function modelsClient(registry: Caller, submitter: Submitter | undefined): ModelsClient {
  const modelOwner = async (modelId: ModelId): Promise<Address | undefined> => {
    const owner = lower(await registry.read('modelOwner', [modelId]));
    return owner === ZERO_ADDRESS ? undefined : owner;
  };
  const modelInfo = async (modelId: ModelId): Promise<ModelRecord | undefined> =>
    (await modelOwner(modelId)) === undefined ? undefined : toRecord(await registry.read('modelInfo', [modelId]));
  return {
    modelOwner,
    modelInfo,
    listModels: async () =>
      (
        await readPages(
          (offset, limit) => readPage(registry, offset, limit),
          (entry) => entry.modelId,
        )
      ).map(toRecord),
    publishModel: async (model) => {
      const known = await modelInfo(model.modelId);
      if (!known) {
        await registry.write('publish', [model.weightsRoot, model.modelId, model.manifestPointer, model.cardDigest, model.cardPointer]);
        return true;
      }
      const caller = submitter?.account.address;
      if (known.owner !== caller || known.weightsRoot !== model.weightsRoot) {
        throw new ChainError(
          'chain_reverted',
          `model ${model.modelId} is published by ${known.owner} over weights ${known.weightsRoot}; this key cannot publish it`,
          {
            details: { reason: 'AlreadyPublished', args: [model.modelId] },
          },
        );
      }
      if (known.cardDigest === model.cardDigest && known.cardPointer === model.cardPointer) return false;
      await registry.write('updateCard', [model.modelId, model.cardDigest, model.cardPointer]);
      return true;
    },
  };
}
