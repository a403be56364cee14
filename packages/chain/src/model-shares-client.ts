import { type Address, type Hex32 } from '@commonweight/protocol';
import { type modelSharesAbi } from './abis.gen.ts';
import { type ContractCaller } from './contract-caller.ts';
import { ChainError } from './errors.ts';
import { lower } from './lower.ts';
import { type Submitter } from './submitter.ts';

/** Weights that a model was made from, and its part of what goes to parents, in basis points; the parts of all sum to 10,000. */
export interface ModelParent {
  readonly weightsRoot: Hex32;
  readonly part: number;
}

export interface SharesInfo {
  readonly parents: readonly ModelParent[];
  /** Hint for sales of shares (ERC-2981), in basis points. */
  readonly royalty: number;
}

/** What somebody's shares of a model have earned in one asset and he has not collected. */
export interface ShareEarnings {
  readonly asset: Address;
  readonly amount: bigint;
}

export interface ModelSharesClient {
  /** Mints a model's 1,000,000 shares to this key; once, for proven weights; parents (at most 4) never change. @returns false when they are founded already */
  foundShares(weightsRoot: Hex32, parents: readonly ModelParent[], royalty?: number): Promise<boolean>;
  /** Undefined while nobody has founded them. */
  sharesInfo(weightsRoot: Hex32): Promise<SharesInfo | undefined>;
  sharesOf(weightsRoot: Hex32, holder: Address): Promise<bigint>;
  sendShares(weightsRoot: Hex32, to: Address, amount: bigint): Promise<void>;
  /** One entry for each asset that the model has earned, zero ones included. */
  shareEarnings(weightsRoot: Hex32, holder: Address): Promise<ShareEarnings[]>;
  /** Pays this key everything that its shares have earned. @returns what was paid, in the assets in which there was something */
  collectShareEarnings(weightsRoot: Hex32): Promise<ShareEarnings[]>;
}

export function modelSharesClient(shares: ContractCaller<typeof modelSharesAbi>, submitter: Submitter | undefined): ModelSharesClient {
  const isFounded = (weightsRoot: Hex32): Promise<boolean> => shares.read('isFounded', [weightsRoot]);
  const shareEarnings = async (weightsRoot: Hex32, holder: Address): Promise<ShareEarnings[]> => {
    // at most 8 (Parameters.MAXIMUM_ASSETS)
    const assets = await shares.read('assetsOf', [weightsRoot]);
    return Promise.all(
      assets.map(async (asset) => ({ asset: lower(asset), amount: await shares.read('earned', [weightsRoot, asset, holder]) })),
    );
  };
  return {
    shareEarnings,
    foundShares: async (weightsRoot, parents, royalty = 0) => {
      if (await isFounded(weightsRoot)) return false;
      await shares.write('found', [weightsRoot, parents, royalty]);
      return true;
    },
    sharesInfo: async (weightsRoot) => {
      if (!(await isFounded(weightsRoot))) return undefined;
      const [parents, royalty] = await Promise.all([shares.read('parentsOf', [weightsRoot]), shares.read('royaltyOf', [weightsRoot])]);
      return { parents, royalty };
    },
    sharesOf: (weightsRoot, holder) => shares.read('balanceOf', [holder, BigInt(weightsRoot)]),
    sendShares: async (weightsRoot, to, amount) => void (await shares.write('transfer', [to, BigInt(weightsRoot), amount])),
    collectShareEarnings: async (weightsRoot) => {
      if (!submitter) throw new ChainError('chain_read_only', 'collecting needs the private key of the holder');
      const earned = (await shareEarnings(weightsRoot, submitter.account.address)).filter(({ amount }) => amount > 0n);
      for (const { asset } of earned) await shares.write('collect', [weightsRoot, asset]);
      return earned;
    },
  };
}
