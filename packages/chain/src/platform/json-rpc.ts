import { ChainError } from '../errors.ts';
import { limits } from '../limits.ts';
import { postJson } from './post-json.ts';

/** One JSON-RPC call without a client library: the guard is a small process. Returns the untyped result. */
export async function jsonRpc(
  url: string,
  method: string,
  params: readonly unknown[] = [],
  timeout: number = limits.rpcTimeout,
): Promise<unknown> {
  let answer: { result?: unknown; error?: { message?: unknown } };
  try {
    const { text } = await postJson(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), timeout);
    answer = JSON.parse(text) as typeof answer;
  } catch (cause) {
    throw new ChainError('chain_unreachable', `${method}: no JSON-RPC answer from ${url} within ${timeout} ms`, { cause });
  }
  if (answer.error) throw new ChainError('chain_rpc', `${method}: ${String(answer.error.message)}`);
  return answer.result;
}
