import { type Address } from '@commonweight/protocol';

/** viem gives addresses with an EIP-55 checksum; ours are lower-case everywhere. */
export const lower = (address: string): Address => address.toLowerCase() as Address;
