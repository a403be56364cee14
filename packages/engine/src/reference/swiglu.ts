import { exp2n } from './exp2n.ts';
import { INT32_LIMIT, rsh } from './rsh.ts';

/** log2(e) in Q16. */
const LOG2_E = 94_548;

/** g * sigmoid(g), int32 Q16 in and out (SPEC section 11). */
export function silu(gate: number): number {
  const d = Math.min(rsh(Math.abs(gate) * LOG2_E, 16), INT32_LIMIT);
  const e = exp2n(d, 24);
  const one = 2 ** 24;
  const sigmoid = Math.floor(((gate >= 0 ? one : e) * 2 ** 20) / (one + e)); // below 2^53: float64 division and floor are exact
  return rsh(gate * sigmoid, 20);
}

/** silu(gate) * up, both int32 Q16; Q32, below 2^62. */
export function swiglu(gate: Int32Array, up: Int32Array): BigInt64Array {
  const z = new BigInt64Array(gate.length);
  for (let i = 0; i < z.length; i++) z[i] = BigInt(silu(gate[i]!)) * BigInt(up[i]!);
  return z;
}
