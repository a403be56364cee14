import { type Address, CommonweightError } from '@commonweight/protocol';
import type { PaymentState } from './payment-state.ts';

/** What was signed in another asset can only be collected under the terms of that asset. */
export function checkAsset(state: PaymentState, asset: Address): void {
  const other = [...state.openAssets()].find((open) => open !== asset);
  if (other === undefined) return;
  throw new CommonweightError(
    `expected asset ${other}, in which this node is still to be paid, the configuration has ${asset}: start it with ${other} until \`commonweight earnings\` shows nothing pending, or sell for another asset with a new key and data directory`,
    { code: 'config', action: 'stop', field: 'asset' },
  );
}
