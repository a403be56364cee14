import { sat } from './rsh.ts';

/** x + y in place, saturating: what goes into the residual stream (SPEC section 12, int32 Q12) and biases (section 6.1, int32 Q16). */
export function addSaturating(x: Int32Array, y: Int32Array): void {
  for (let i = 0; i < x.length; i++) x[i] = sat(x[i]! + y[i]!);
}
