import { CommonweightError } from '@commonweight/protocol';

/** Zeroed memory outside of WASM, of any size the machine has. `what` names it in the error. */
export function allocateBuffer(bytes: number, what: string): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw new CommonweightError(
      `${what} needs ${bytes} bytes, but the machine has no more memory; use a smaller model or a shorter sequence`,
      {
        code: 'memory',
        field: what,
        details: { size: bytes },
        cause,
      },
    );
  }
}
