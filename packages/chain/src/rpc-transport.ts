import { LateAnswer, postJson } from './platform/post-json.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { limits } from './limits.ts';
import { type CustomTransport, HttpRequestError, RpcRequestError, TimeoutError, custom } from './viem.ts';

interface Call {
  readonly method: string;
  readonly params?: unknown;
}

/** Methods that change nothing and speak of the newest block. */
const reads = new Set([
  'eth_call',
  'eth_estimateGas',
  'eth_feeHistory',
  'eth_getBalance',
  'eth_getBlockByNumber',
  'eth_getCode',
  'eth_getLogs',
  'eth_getTransactionCount',
]);
/** A block that the chain announced a moment ago and cannot read yet: anvil while it mines, providers with several machines. */
const notYetThere = /BlockOutOfRange|header not found/i;

/**
 * viem's transport to one JSON-RPC URL: its errors, our connection. Nothing is tried twice, for a transaction must not be sent again by accident;
 * only reads of a block that is not quite there are.
 */
export function rpcTransport(url: string): CustomTransport {
  let id = 0;
  const request = async (call: Call): Promise<unknown> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(call);
      } catch (error) {
        const again = error instanceof RpcRequestError && notYetThere.test(error.details) && reads.has(call.method);
        if (!again || attempt === limits.readAttempts) throw error;
        await pause(limits.readPause);
      }
    }
  };
  const once = async ({ method, params }: Call): Promise<unknown> => {
    const body = { jsonrpc: '2.0', id: ++id, method, params };
    const { status, text } = await postJson(url, JSON.stringify(body), limits.rpcTimeout).catch((cause: Error) => {
      if (cause instanceof LateAnswer) throw new TimeoutError({ body, url });
      throw new HttpRequestError({ body, cause, url });
    });
    const answer = parse(text);
    if (answer?.error !== undefined) throw new RpcRequestError({ body, error: answer.error, url });
    if (answer === undefined || status !== 200)
      throw new HttpRequestError({ body, status, url, details: text.slice(0, limits.errorOutput) });
    return answer.result;
  };
  return custom({ request }, { retryCount: 0 });
}

interface RpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** A JSON-RPC answer, or undefined for anything else. */
function parse(text: string): RpcAnswer | undefined {
  let answer: RpcAnswer | null;
  try {
    answer = JSON.parse(text) as RpcAnswer | null;
  } catch {
    // a proxy's page of HTML, most likely: the caller says so
    return undefined;
  }
  if (typeof answer !== 'object' || answer === null) return undefined;
  if (answer.error === undefined) return 'result' in answer ? answer : undefined;
  return typeof answer.error?.code === 'number' && typeof answer.error.message === 'string' ? answer : undefined;
}
