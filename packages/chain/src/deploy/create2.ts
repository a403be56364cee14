import { type Address } from '@commonweight/protocol';
import { lower } from '../lower.ts';
import { type Hex, getContractAddress, keccak256, stringToHex } from '../viem.ts';

/** Arachnid's deterministic deployment proxy: the same address on nearly every chain; anvil has it from genesis. */
export const CREATE2_FACTORY: Address = '0x4e59b44847b379578588920ca78fbf26c0b4956c';
/** keccak256 of its code: 69 bytes that copy the call's data behind a salt into memory and CREATE2 them. */
export const CREATE2_FACTORY_CODE_HASH: Hex = '0x2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989';
export const SALT = keccak256(stringToHex('commonweight/1'));

export const create2Address = (initCode: Hex): Address =>
  lower(getContractAddress({ opcode: 'CREATE2', from: CREATE2_FACTORY, salt: SALT, bytecode: initCode }));

/** Address of what a contract creates with its creation number `nonce`, the first being 1. */
export const childAddress = (creator: Address, nonce: bigint): Address => lower(getContractAddress({ from: creator, nonce }));
