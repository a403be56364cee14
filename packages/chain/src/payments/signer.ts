import { type Address } from '@commonweight/protocol';
import type { FacilitatorEvmSigner } from '@x402/evm';
import { ChainError } from '../errors.ts';
import { limits } from '../limits.ts';
import { type Submitter } from '../submitter.ts';
import { type Abi, type Hex, type TransactionReceipt, encodeFunctionData } from '../viem.ts';
import { type WantedCall, requirePermitted } from './permitted-calls.ts';

/** The last error of our own in one verification or settlement: the library turns it into a reason of its own. */
export interface Trouble {
  error?: ChainError;
  /** Whether the library went on without an answer that it needs: then a good answer of its own means nothing either. */
  blind?: boolean;
}

/**
 * The x402 library's view of our key: reads through our RPC client, and sends what settles payments in `assets` through the submitter, nothing else.
 * `writeContract` comes back when the transaction is mined, with the hash under which it was: a replacement at a higher fee has another one than the first attempt.
 */
export function facilitatorSigner(
  submitter: Submitter,
  assets: ReadonlySet<Address>,
  troubleNow: () => Trouble | undefined,
): FacilitatorEvmSigner {
  const { rpc, account } = submitter;
  const mined = new Map<string, TransactionReceipt>();
  const remember = (receipt: TransactionReceipt): Hex => {
    mined.set(receipt.transactionHash, receipt);
    for (const oldest of mined.keys()) {
      if (mined.size <= limits.rememberedReceipts) break;
      mined.delete(oldest);
    }
    return receipt.transactionHash;
  };
  const noting = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const trouble = troubleNow();
      if (trouble !== undefined && error instanceof ChainError) trouble.error = error;
      throw error;
    }
  };
  return {
    getAddresses: () => [account.address],
    readContract: ({ address, abi, functionName, args }) =>
      // from our own address: the proxies look at who calls
      noting(() =>
        rpc.call({ what: functionName }, (client) =>
          client.readContract({ address, abi: abi as Abi, functionName, args: args ?? [], account: account.address }),
        ),
      ),
    verifyTypedData: (request) =>
      noting(() => rpc.call({ what: 'verify typed data' }, (client) => client.verifyTypedData(request as never))),
    // never rejects: the library asks for the asset's code in the background, and forgets a rejection there when it ends early, which ends a Node process
    getCode: ({ address }) =>
      noting(() => rpc.call({ what: 'code' }, (client) => client.getCode({ address }))).catch(() => {
        const trouble = troubleNow();
        if (trouble !== undefined) trouble.blind = true;
        return undefined;
      }),
    writeContract: (call) =>
      noting(async () => {
        requirePermitted(call as WantedCall, assets);
        const data = encodeFunctionData({ abi: call.abi as Abi, functionName: call.functionName, args: call.args });
        return remember(await submitter.send({ to: call.address.toLowerCase() as Address, data }));
      }),
    sendTransaction: ({ to }) =>
      noting(async () => {
        throw new ChainError('call_refused', `a plain transaction to ${to}: a facilitator sends none`, { details: { address: to } });
      }),
    waitForTransactionReceipt: async ({ hash }) => {
      const receipt = mined.get(hash) ?? (await rpc.call({ what: 'receipt' }, (client) => client.getTransactionReceipt({ hash })));
      return { status: receipt.status, logs: [...receipt.logs] };
    },
  };
}
