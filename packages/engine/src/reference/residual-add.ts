import { sat } from './rsh.ts';

/** x + y in place, saturating (SPEC section 12). Both int32 Q12. */
export function addToResidual(x: Int32Array, y: Int32Array): void {
  for (let i = 0; i < x.length; i++) x[i] = sat(x[i]! + y[i]!);
}
