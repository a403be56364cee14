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

/** Resolves when `signal` is aborted. */
export const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
