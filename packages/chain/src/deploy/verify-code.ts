import { type Address } from '@commonweight/protocol';
import { ChainError } from '../errors.ts';
import { type Rpc } from '../rpc.ts';
import { type Hex, keccak256 } from '../viem.ts';
import { CREATE2_FACTORY, CREATE2_FACTORY_CODE_HASH } from './create2.ts';
import { type Contract } from './artifact.ts';
import { type Expected } from './plan.ts';

const codeAt = (rpc: Rpc, address: Address): Promise<Hex> =>
  rpc.call({ what: 'code' }, async (c) => (await c.getCode({ address })) ?? '0x');

/** Throws `no_create2_factory` unless the factory stands where every chain has it, with the code that it has everywhere. */
export async function requireFactory(rpc: Rpc): Promise<void> {
  const code = await codeAt(rpc, CREATE2_FACTORY);
  if (keccak256(code) === CREATE2_FACTORY_CODE_HASH) return;
  const found = code === '0x' ? 'no code' : 'another contract';
  throw new ChainError(
    'no_create2_factory',
    `chain ${rpc.chain.id}: expected the CREATE2 factory at ${CREATE2_FACTORY}, found ${found}; deploy it first (github.com/Arachnid/deterministic-deployment-proxy)`,
  );
}

/**
 * Throws `wrong_code` unless every contract is there, with the code that our compiler wrote. Immutables are left out of the hash: the constructor wrote them from
 * arguments, and the address commits to those and to the creation code (docs/decisions/0029).
 */
export async function verifyCode(rpc: Rpc, contracts: readonly Expected[]): Promise<void> {
  await Promise.all(
    contracts.map(async ({ name, address, runtime }) => {
      const code = await codeAt(rpc, address);
      if (code !== '0x' && runtimeHash(code, runtime) === runtime.hash) return;
      throw new ChainError(
        'wrong_code',
        `expected ${name} at ${address} on chain ${rpc.chain.id}, found ${code === '0x' ? 'no code' : 'other code'}; check the RPC URL, or deploy again`,
        { details: { name, address } },
      );
    }),
  );
}

function runtimeHash(code: Hex, { bytes, immutables }: Contract['runtime']): Hex | undefined {
  if (code.length !== 2 + 2 * bytes) return undefined;
  let masked = '';
  let end = 0;
  for (const [start, length] of immutables) {
    masked += code.slice(2 + 2 * end, 2 + 2 * start) + '00'.repeat(length);
    end = start + length;
  }
  return keccak256(`0x${masked}${code.slice(2 + 2 * end)}`);
}
