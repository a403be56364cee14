import { type Address, type Hex32, addressOfKey } from '@commonweight/protocol';
import { CREATE2_FACTORY } from './deploy/create2.ts';
import {
  batchSettlementCode,
  devPermit2Code,
  erc3009CollectorCode,
  exactPermit2ProxyCode,
  multicall3Code,
  permit2CollectorCode,
  testDollarBytecode,
  uptoPermit2ProxyCode,
} from './dev-contracts.gen.ts';
import { checkChainId } from './check-chain.ts';
import { contractCaller } from './contract-caller.ts';
import { ChainError } from './errors.ts';
import { testDollarAbi } from './payments/abis.gen.ts';
import {
  BATCH_SETTLEMENT,
  ERC3009_COLLECTOR,
  EXACT_PERMIT2_PROXY,
  MULTICALL3,
  PERMIT2,
  PERMIT2_COLLECTOR,
  UPTO_PERMIT2_PROXY,
} from './payments/addresses.ts';
import { jsonRpc } from './platform/json-rpc.ts';
import { connectRpc } from './rpc.ts';
import { Submitter } from './submitter.ts';
import { type Hex, concatHex, encodeAbiParameters, getContractAddress, keccak256, stringToHex } from './viem.ts';

/** Our own implementations stand here, but for Multicall3, whose code comes with viem. */
const codes: readonly (readonly [Address, Hex])[] = [
  [PERMIT2, devPermit2Code],
  [MULTICALL3, multicall3Code],
  [EXACT_PERMIT2_PROXY, exactPermit2ProxyCode],
  [UPTO_PERMIT2_PROXY, uptoPermit2ProxyCode],
  [BATCH_SETTLEMENT, batchSettlementCode],
  [ERC3009_COLLECTOR, erc3009CollectorCode],
  [PERMIT2_COLLECTOR, permit2CollectorCode],
];

/** Millionths of a test dollar that the development account gets: a billion dollars. */
const TEST_DOLLARS = 10n ** 15n;
const SALT = keccak256(stringToHex('commonweight/dev'));

export interface DevContractsOptions {
  readonly rpcUrl: string;
  readonly chainId: number;
  /** Pays for the test dollar's deployment, and gets all of them. */
  readonly privateKey: Hex32;
}

export interface DevContracts {
  /** Money of this chain: an ERC-20 with 6 decimals, EIP-3009 and ERC-2612. */
  readonly testDollar: Address;
  /** Raises the test dollars of `address` to at least `amount` millionths; no transaction when they are there already. */
  readonly fundDollars: (address: Address, amount: bigint) => Promise<void>;
}

/**
 * Gives a development chain what a real one has already: Permit2, Multicall3 and the x402 contracts at their addresses, and money to pay with.
 * Does nothing where it is done; works on anvil only (`anvil_setCode`), so never on a real network.
 */
export async function installDevContracts({ rpcUrl, chainId, privateKey }: DevContractsOptions): Promise<DevContracts> {
  const rpc = connectRpc(rpcUrl, chainId);
  await checkChainId(rpc);
  await Promise.all(codes.map(([address, code]) => place(rpcUrl, address, code)));
  const holders = encodeAbiParameters([{ type: 'address[]' }, { type: 'uint256' }], [[addressOfKey(privateKey)], TEST_DOLLARS]);
  const initCode = concatHex([testDollarBytecode, holders]);
  const testDollar = getContractAddress({
    opcode: 'CREATE2',
    from: CREATE2_FACTORY,
    salt: SALT,
    bytecode: initCode,
  }).toLowerCase() as Address;
  const submitter = new Submitter({ rpc, privateKey });
  if (!(await rpc.hasCode(testDollar))) await submitter.send({ to: CREATE2_FACTORY, data: concatHex([SALT, initCode]) });
  return { testDollar, fundDollars: (address, amount) => fundDollars({ rpcUrl, chainId, privateKey, testDollar }, address, amount) };
}

/** Raises the test dollars of `address` to at least `amount` millionths, from those of the private key. */
export async function fundDollars(
  { rpcUrl, chainId, privateKey, testDollar }: DevContractsOptions & { readonly testDollar: Address },
  address: Address,
  amount: bigint,
): Promise<void> {
  const rpc = connectRpc(rpcUrl, chainId);
  const dollars = contractCaller(rpc, new Submitter({ rpc, privateKey }), testDollar, testDollarAbi);
  const balance = await dollars.read('balanceOf', [address]);
  if (balance < amount) await dollars.write('transfer', [address, amount - balance]);
}

async function place(rpcUrl: string, address: Address, code: Hex): Promise<void> {
  if ((await jsonRpc(rpcUrl, 'eth_getCode', [address, 'latest'])) === code) return;
  try {
    await jsonRpc(rpcUrl, 'anvil_setCode', [address, code]);
  } catch (cause) {
    if (!(cause instanceof ChainError) || cause.code !== 'chain_rpc') throw cause;
    throw new ChainError('wrong_chain', `${rpcUrl} is no development chain: it refused anvil_setCode (${cause.message})`, { cause });
  }
}
