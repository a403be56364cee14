import { BaseError, ContractFunctionRevertedError, ExecutionRevertedError, HttpRequestError, TimeoutError } from './viem.ts';
import { ChainError } from './errors.ts';

export interface ErrorContext {
  /** Name of the call, for the message. */
  readonly what: string;
  readonly url?: string;
}

/** Turns what viem throws into a ChainError; one of ours passes unchanged. viem's own messages repeat whole requests: only the short form is kept. */
export function toChainError(error: unknown, { what, url }: ErrorContext): ChainError {
  if (error instanceof ChainError) return error;
  if (!(error instanceof BaseError))
    return new ChainError('chain_rpc', `${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  const find = <T extends BaseError>(type: abstract new (...args: never[]) => T): T | undefined => {
    const found = error.walk((inner) => inner instanceof type);
    return found instanceof type ? found : undefined;
  };
  const reverted = find(ContractFunctionRevertedError);
  if (reverted) {
    const reason = reverted.data?.errorName ?? reverted.reason ?? reverted.signature ?? 'no reason given';
    const args = (reverted.data?.args ?? []).map((arg) => (typeof arg === 'bigint' ? String(arg) : arg));
    return new ChainError('chain_reverted', `${what}: the contract refused with ${reason}(${args.join(', ')})`, {
      details: { reason, args },
      cause: error,
    });
  }
  if (find(TimeoutError) || find(HttpRequestError)) {
    return new ChainError('chain_unreachable', `${what}: no answer from the chain's RPC URL ${url ?? ''}; is it running?`, {
      cause: error,
    });
  }
  if (find(ExecutionRevertedError)) {
    return new ChainError('chain_reverted', `${what}: ${error.shortMessage}`, {
      details: { reason: error.details, args: [] },
      cause: error,
    });
  }
  return new ChainError('chain_rpc', `${what}: ${error.shortMessage} ${error.details ?? ''}`.trim(), { cause: error });
}
