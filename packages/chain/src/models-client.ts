import { type Address, type Hex32, type ModelId, ZERO_ADDRESS, toHex } from '@commonweight/protocol';
import { type modelRegistryAbi, type parametersAbi } from './abis.gen.ts';
import { type ContractCaller } from './contract-caller.ts';
import { ChainError } from './errors.ts';
import { readPages } from './pages.ts';
import { type Submitter } from './submitter.ts';
import { lower } from './lower.ts';
import { stringToHex } from './viem.ts';

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
  /** Somebody showed a manifest over these weights: their owner is final. */
  readonly proven: boolean;
  /** Wei that are still held for this record, whose they are, and from when (Unix seconds) they can go back. */
  readonly deposit: bigint;
  readonly depositor: Address;
  readonly reclaimableFrom: number;
}

export interface ModelsClient {
  /** Publishes a model with the deposit of now, or updates its card, when it is not so already. @returns whether there was a transaction */
  publishModel(model: ModelPublication): Promise<boolean>;
  modelInfo(modelId: ModelId): Promise<ModelRecord | undefined>;
  modelOwner(modelId: ModelId): Promise<Address | undefined>;
  /** Registered models, oldest first; a removal moves the last one to the freed place. */
  listModels(): Promise<ModelRecord[]>;
  /** Wei that a publication takes now. */
  modelDeposit(): Promise<bigint>;
  /** Shows the manifest of a true record, once for its weights; needed before shares are founded. @returns whether there was a transaction */
  proveModel(modelId: ModelId, manifest: Uint8Array): Promise<boolean>;
  /** Has a record removed whose manifest names other weights. Throws `chain_reverted` with reason `RecordIsTrue` or `NotTheManifest`. */
  challengeModel(modelId: ModelId, manifest: Uint8Array): Promise<void>;
  /** After the window, credits a record's deposit to its depositor. @returns false when it has gone back already */
  returnModelDeposit(modelId: ModelId): Promise<boolean>;
  /** Wei of deposits and rewards that an account can withdraw. */
  modelCredit(account: Address): Promise<bigint>;
  /** Pays this key's credit to `to`. @returns wei; 0 without a transaction when there is none */
  withdrawModelCredit(to: Address): Promise<bigint>;
  weightsOwner(weightsRoot: Hex32): Promise<Address | undefined>;
  /** Offers weights with every model over them; without `to` the offer is taken back. */
  offerWeights(weightsRoot: Hex32, to: Address | undefined): Promise<void>;
  acceptWeights(weightsRoot: Hex32): Promise<void>;
}

type Caller = ContractCaller<typeof modelRegistryAbi>;
type ModelView = Awaited<ReturnType<typeof readPage>>[number];
const readPage = (registry: Caller, offset: bigint, limit: bigint) => registry.read('modelsPage', [offset, limit]);

const toRecord = ({ modelId, owner, isProven, model }: ModelView): ModelRecord => ({
  modelId,
  owner: lower(owner),
  weightsRoot: model.weightsRoot,
  manifestPointer: model.manifestPointer,
  cardDigest: model.cardDigest,
  cardPointer: model.cardPointer,
  publishedAt: Number(model.publishedAt),
  proven: isProven,
  deposit: model.deposit,
  depositor: lower(model.depositor),
  reclaimableFrom: Number(model.reclaimableFrom),
});

const someone = (address: string): Address | undefined => (lower(address) === ZERO_ADDRESS ? undefined : lower(address));

export function modelsClient(
  registry: Caller,
  parameters: ContractCaller<typeof parametersAbi>,
  submitter: Submitter | undefined,
): ModelsClient {
  const modelOwner = async (modelId: ModelId): Promise<Address | undefined> => someone(await registry.read('modelOwner', [modelId]));
  const modelDeposit = (): Promise<bigint> => parameters.read('get', [stringToHex('modelDeposit', { size: 32 })]);
  const modelCredit = (account: Address): Promise<bigint> => registry.read('owed', [account]);
  const modelInfo = async (modelId: ModelId): Promise<ModelRecord | undefined> =>
    (await modelOwner(modelId)) === undefined ? undefined : toRecord(await registry.read('modelInfo', [modelId]));
  return {
    modelOwner,
    modelInfo,
    modelDeposit,
    modelCredit,
    proveModel: async (modelId, manifest) => {
      if ((await modelInfo(modelId))?.proven === true) return false;
      await registry.write('prove', [modelId, toHex(manifest)]);
      return true;
    },
    challengeModel: async (modelId, manifest) => void (await registry.write('challenge', [modelId, toHex(manifest)])),
    returnModelDeposit: async (modelId) => {
      if ((await modelInfo(modelId))?.deposit === 0n) return false;
      await registry.write('returnDeposit', [modelId]);
      return true;
    },
    withdrawModelCredit: async (to) => {
      if (!submitter) throw new ChainError('chain_read_only', 'a withdrawal needs the private key of whom the wei are owed to');
      const amount = await modelCredit(submitter.account.address);
      if (amount > 0n) await registry.write('withdraw', [to]);
      return amount;
    },
    weightsOwner: async (weightsRoot) => someone(await registry.read('ownerOf', [weightsRoot])),
    offerWeights: async (weightsRoot, to) => void (await registry.write('offerOwnership', [weightsRoot, to ?? ZERO_ADDRESS])),
    acceptWeights: async (weightsRoot) => void (await registry.write('acceptOwnership', [weightsRoot])),
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
        await registry.write(
          'publish',
          [model.weightsRoot, model.modelId, model.manifestPointer, model.cardDigest, model.cardPointer],
          await modelDeposit(),
        );
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
