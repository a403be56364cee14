const NAMES = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface StopSignals extends Disposable {
  /** Aborted by the first Ctrl-C, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** Called by the second one. */
  onSecond: (() => void) | undefined;
}

/** Turns Ctrl-C and its relatives into an abort signal; the default handlers are back after disposal. */
export function listenForStop(): StopSignals {
  const controller = new AbortController();
  const stop: StopSignals = {
    signal: controller.signal,
    onSecond: undefined,
    [Symbol.dispose]: () => NAMES.forEach((name) => process.off(name, listener)),
  };
  const listener = (): void => {
    if (controller.signal.aborted) stop.onSecond?.();
    else controller.abort();
  };
  NAMES.forEach((name) => process.on(name, listener));
  return stop;
}

/** Calls `action` once when `signal` is aborted, at once if it is; disposed of, it is not called any more. */
export function onAbort(signal: AbortSignal, action: () => void): Disposable {
  if (signal.aborted) action();
  else signal.addEventListener('abort', action, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', action) };
}

/** What `work` gives, or a rejection with the signal's reason as soon as it is aborted; how the work ends after that is nobody's business. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const cancelled = new Promise<never>((_, reject) => {
    const listener = onAbort(signal, () => reject(signal.reason));
    onAbort(over.signal, () => listener[Symbol.dispose]());
  });
  try {
    return await Promise.race([work, cancelled]);
  } finally {
    over.abort();
  }
}

/** Resolves when `signal` is aborted. */
export const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
