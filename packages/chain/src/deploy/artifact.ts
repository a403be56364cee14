import { type Hex } from '../viem.ts';

/** A contract as a chain holds it. */
export interface Contract {
  readonly name: string;
  readonly runtime: {
    readonly bytes: number;
    /** keccak256 of the code, with zeros where the constructor writes immutables. */
    readonly hash: Hex;
    /** Where those are: start and length in bytes. */
    readonly immutables: readonly (readonly [number, number])[];
  };
}

/** What the compiler made of a contract that we send. */
export interface Artifact extends Contract {
  /** Creation code; constructor arguments follow it. */
  readonly bytecode: Hex;
}
