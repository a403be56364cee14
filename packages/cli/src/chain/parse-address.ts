import { type Address, isAddress } from '@commonweight/protocol';
import { UsageError } from '../fault.ts';

/** An address as people paste it: a checksum's capitals are accepted and not checked. */
export function parseAddress(text: string): Address {
  const address = text.toLowerCase();
  if (!isAddress(address)) throw new UsageError(`expected an address (0x and 40 hexadecimal digits), got ${text}.`);
  return address;
}
