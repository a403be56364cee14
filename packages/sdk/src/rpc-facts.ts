import { type Address, BATCH_SETTLEMENT, CommonweightError, type Hex, type Hex32, ZERO_ADDRESS } from '@commonweight/protocol';
import type { NetworkFacts } from './facts.ts';
import { type Platform, webPlatform } from './platform/web.ts';
import { readBounded } from './read-bounded.ts';
import { limits } from './limits.ts';

/** A chain's RPC server that the caller trusts, and where the network's contracts are (`deployments.json`). */
export interface RpcFactsOptions {
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly nodeRegistry: Address;
  readonly receiptLog: Address;
  readonly settlement: Address;
  readonly platform?: Pick<Platform, 'fetch'>;
}

/** First four bytes of the hash of each signature. */
export const selectors = {
  'isRegistered(address)': '0xc3c5a547',
  'nodeInfo(address)': '0x23c2e2bc',
  'MINIMUM_BOND()': '0xb5fd4f9d',
  'nodeOfSessionKey(address)': '0x0925e8d9',
  'priceOf(address,bytes32)': '0x0fa867d9',
  'splitterOf(address,bytes32)': '0xa76906bb',
  'channels(bytes32)': '0x7a7ebd7b',
} as const;

/** Asks a chain for what a payer has to know. Each question is one `eth_call`; nothing is kept. */
export function rpcFacts(options: RpcFactsOptions): NetworkFacts {
  const { nodeRegistry, settlement, chainId, receiptLog, rpcUrl, platform = webPlatform } = options;
  const call = (to: Address, name: keyof typeof selectors, ...args: readonly Hex[]): Promise<readonly Hex32[]> =>
    ethCall(platform.fetch, rpcUrl, to, `${selectors[name]}${args.map((arg) => arg.slice(2).padStart(64, '0')).join('')}`);
  return {
    chainId,
    receiptLog,
    node: async (node, signer) => {
      const [registered] = await call(nodeRegistry, 'isRegistered(address)', node);
      if (!isTrue(registered)) return { registered: false };
      const [[minimum], [owner], info] = await Promise.all([
        call(nodeRegistry, 'MINIMUM_BOND()'),
        call(nodeRegistry, 'nodeOfSessionKey(address)', signer ?? ZERO_ADDRESS),
        call(nodeRegistry, 'nodeInfo(address)', node),
      ]);
      // a receipt outlives its key: the registry remembers keys that were rotated away. The first word of a dynamic struct is its place
      const [, current, , , bond] = info;
      const sessionKey = signer !== undefined && toAddress(owner) === node ? signer : toAddress(current);
      return { registered: true, sessionKey, bond: toUint(bond), minimumBond: toUint(minimum) };
    },
    terms: async (node, modelId) => {
      const [price, [payTo]] = await Promise.all([
        call(nodeRegistry, 'priceOf(address,bytes32)', node, modelId),
        call(settlement, 'splitterOf(address,bytes32)', node, modelId),
      ]);
      const [, asset, promptPrice, completionPrice] = price;
      if (toAddress(asset) === ZERO_ADDRESS) return undefined;
      return {
        asset: toAddress(asset),
        promptPrice: toUint(promptPrice),
        completionPrice: toUint(completionPrice),
        payTo: toAddress(payTo),
      };
    },
    channel: async (channelId) => {
      const [balance, claimed] = await call(BATCH_SETTLEMENT, 'channels(bytes32)', channelId);
      return { balance: toUint(balance), claimed: toUint(claimed) };
    },
  };
}

async function ethCall(send: Platform['fetch'], rpcUrl: string, to: Address, data: string): Promise<readonly Hex32[]> {
  const response = await send(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ to, data }, 'latest'] }),
  });
  const text = await readBounded(response, limits.rpcBytes);
  const { result, error } = parse(text);
  if (typeof result !== 'string' || !/^0x(?:[0-9a-f]{64})+$/i.test(result)) {
    const why = typeof error === 'object' && error !== null && 'message' in error ? String(error.message).slice(0, 200) : 'no words came';
    throw new CommonweightError(`the chain did not answer: ${why}`, { code: 'chain_unanswered', action: 'retry' });
  }
  return result
    .slice(2)
    .toLowerCase()
    .match(/.{64}/g)!
    .map((word): Hex32 => `0x${word}` as Hex32);
}

function parse(text: string): { readonly result?: unknown; readonly error?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

const missing = (): never => {
  throw new CommonweightError('the chain answered with fewer words than expected: is this contract there?', {
    code: 'chain_unanswered',
    action: 'stop',
  });
};
const toUint = (word: Hex32 | undefined): bigint => BigInt(word ?? missing());
const toAddress = (word: Hex32 | undefined): Address => `0x${(word ?? missing()).slice(26)}` as Address;
const isTrue = (word: Hex32 | undefined): boolean => toUint(word) !== 0n;
