import { type Address, type Hex32 } from '@commonweight/protocol';
import { tokenAbi } from './abis.gen.ts';
import { checkChainId } from './check-chain.ts';
import { contractCaller } from './contract-caller.ts';
import { ChainError } from './errors.ts';
import { PERMIT2 } from './payments/addresses.ts';
import { connectRpc } from './rpc.ts';
import { Submitter } from './submitter.ts';
import { ETHER } from './units.ts';
import { type Hex } from './viem.ts';

export interface AssetInfo {
  readonly symbol: string;
  readonly decimals: number;
}

/** The chain's own money, or an ERC-20. */
export type Asset = Address | 'ether';

export interface WalletClient {
  readonly account: Address | undefined;
  readonly asset: (asset: Asset) => Promise<AssetInfo>;
  readonly balance: (asset: Asset, holder: Address) => Promise<bigint>;
  readonly send: (asset: Asset, to: Address, amount: bigint) => Promise<Hex>;
  /** Lets Permit2 move up to `amount` of an asset, which the x402 schemes `upto` and `batch-settlement` can need once. Zero takes it back. */
  readonly approvePermit2: (asset: Address, amount: bigint) => Promise<Hex>;
  readonly permit2Allowance: (asset: Address, holder: Address) => Promise<bigint>;
}

export interface WalletOptions {
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly privateKey?: Hex32 | undefined;
}

export async function connectWallet({ rpcUrl, chainId, privateKey }: WalletOptions): Promise<WalletClient> {
  const rpc = connectRpc(rpcUrl, chainId);
  await checkChainId(rpc);
  const submitter = privateKey === undefined ? undefined : new Submitter({ rpc, privateKey });
  const token = (asset: Address) => contractCaller(rpc, submitter, asset, tokenAbi);
  return {
    account: submitter?.account.address,
    asset: async (asset) => {
      if (asset === 'ether') return { symbol: 'ether', decimals: ETHER };
      if (!(await rpc.hasCode(asset))) throw new ChainError('wrong_chain', `no token at ${asset} on chain ${chainId}; check the address`);
      const [symbol, decimals] = await Promise.all([token(asset).read('symbol', []), token(asset).read('decimals', [])]);
      return { symbol, decimals };
    },
    balance: (asset, holder) => (asset === 'ether' ? rpc.balance(holder) : token(asset).read('balanceOf', [holder])),
    send: async (asset, to, amount) => {
      if (asset !== 'ether') return (await token(asset).write('transfer', [to, amount])).transactionHash;
      if (submitter === undefined) throw new ChainError('chain_read_only', 'ether is sent by its holder: connect with a private key');
      return (await submitter.send({ to, value: amount })).transactionHash;
    },
    approvePermit2: async (asset, amount) => (await token(asset).write('approve', [PERMIT2, amount])).transactionHash,
    permit2Allowance: (asset, holder) => token(asset).read('allowance', [holder, PERMIT2]),
  };
}
