import {
  type Account,
  type Address,
  type Hex,
  type Hex32,
  type Receipt,
  type Signature,
  accountKey,
  finishReasons,
} from '@commonweight/protocol';
import { revenueSplitterAbi, settlementAbi, stakingAbi } from './abis.gen.ts';
import { contractCaller } from './contract-caller.ts';
import { lower } from './lower.ts';
import { type Mined } from './payments/channels-client.ts';
import { oldestBlock } from './payments/find-settlement.ts';
import { type Rpc } from './rpc.ts';
import { type Submitter } from './submitter.ts';

/** A posted receipt, with what shows that it was posted and asked for. */
export interface ShownReceipt {
  readonly receipt: Receipt;
  /** Of the request, with the payer's signature. */
  readonly cumulativeLimit: bigint;
  readonly requestSignature: Signature;
  /** Leaf in the receipt's batch, and its proof, bottom up. */
  readonly index: number;
  readonly siblings: readonly Hex32[];
}

/** A payer's EIP-3009 transfer to a splitter. */
export interface SignedTransfer {
  readonly from: Address;
  readonly value: bigint;
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly nonce: Hex32;
  readonly signature: Hex;
}

export interface SettlementClient {
  /** Where everybody pays for one model on one node, whether it exists or not. */
  splitterOf(node: Address, modelId: Hex32): Promise<Address>;
  /** Creates it unless it exists. */
  createSplitter(node: Address, modelId: Hex32): Promise<void>;
  /** Takes a signed transfer into the pot of `payer`'s receipts: what none of them takes goes back to its sender. For the node's operator and session key. @returns the transaction */
  payWithAuthorization(splitter: Address, asset: Address, transfer: SignedTransfer, payer: Address): Promise<Hex32>;
  /** What receipts of an account have been shown for. */
  coveredOf(account: Account): Promise<bigint>;
  /** Shows a receipt whose money is in the splitter: what is new in its account becomes releasable, and stake is locked for it. @returns the transaction */
  cover(shown: ShownReceipt): Promise<Hex32>;
  /** Frees a node's stake whose dispute windows are over, as much as fits into a transaction; sends none when there is nothing to free. @returns whether there was */
  releaseDue(node: Address): Promise<boolean>;
  /** The transaction that showed a receipt, as far back as is looked. */
  coverOf(receipt: Hex32): Promise<Mined | undefined>;
  /** What {@link release} would divide now; 0 for a splitter that does not exist yet. */
  releasable(splitter: Address, asset: Address): Promise<bigint>;
  /** Divides what is covered and has arrived. @returns the transaction */
  release(splitter: Address, asset: Address): Promise<Hex32>;
}

/** @param settlement - the Settlement contract */
export function settlementClient(rpc: Rpc, settlement: Address, submitter?: Submitter): SettlementClient {
  const contract = contractCaller(rpc, submitter, settlement, settlementAbi, [...stakingAbi, ...revenueSplitterAbi]);
  const splitterAt = (address: Address) => contractCaller(rpc, submitter, address, revenueSplitterAbi);
  return {
    splitterOf: async (node, modelId) => lower(await contract.read('splitterOf', [node, modelId])),
    createSplitter: async (node, modelId) => {
      if (await rpc.hasCode(lower(await contract.read('splitterOf', [node, modelId])))) return;
      await contract.write('createSplitter', [node, modelId]);
    },
    payWithAuthorization: async (splitter, asset, { from, value, validAfter, validBefore, nonce, signature }, payer) => {
      const authorization = { from, value, validAfter, validBefore, nonce, signature };
      return (await splitterAt(splitter).writeBeside('payWithAuthorization', [asset, authorization, payer])).transactionHash;
    },
    coveredOf: (account) => contract.read('coveredOf', [accountKey(account)]),
    cover: async ({ receipt, cumulativeLimit, requestSignature, index, siblings }) => {
      const { batch, sequence, issuedAt, finishReason, ...rest } = receipt;
      const struct = {
        ...rest,
        finishReason: finishReasons[finishReason],
        batch: BigInt(batch),
        sequence: BigInt(sequence),
        issuedAt: BigInt(issuedAt),
      };
      return (await contract.write('cover', [struct, cumulativeLimit, requestSignature, BigInt(index), siblings])).transactionHash;
    },
    releaseDue: async (node) => {
      const staking = lower(await contract.read('STAKING', []));
      const call = { address: staking, abi: stakingAbi, functionName: 'releaseDue', args: [node] } as const;
      const { result } = await rpc.call({ what: 'due reservations' }, (c) => c.simulateContract(call));
      if (result === 0n) return false;
      await contractCaller(rpc, submitter, staking, stakingAbi).write('releaseDue', [node]);
      return true;
    },
    coverOf: async (receipt) => {
      const [event] = await rpc.call({ what: 'covered receipts' }, async (c) =>
        c.getContractEvents({
          address: settlement,
          abi: settlementAbi,
          eventName: 'ReceiptCovered',
          args: { receipt },
          fromBlock: await oldestBlock(rpc),
          strict: true,
        }),
      );
      return event && { transaction: event.transactionHash, block: event.blockNumber };
    },
    releasable: async (splitter, asset) => ((await rpc.hasCode(splitter)) ? splitterAt(splitter).read('releasable', [asset]) : 0n),
    release: async (splitter, asset) => (await splitterAt(splitter).write('release', [asset])).transactionHash,
  };
}
