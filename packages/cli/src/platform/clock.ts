import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds that only go forward. */
export const now = (): number => performance.now();

/** Resolves after `milliseconds`, or at once when `signal` is aborted. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/** Calls `action` after `milliseconds` unless disposed before; does not keep the process alive. */
export function after(milliseconds: number, action: () => void): Disposable {
  const timer = setTimeout(action, milliseconds);
  timer.unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
