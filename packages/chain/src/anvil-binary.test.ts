import { access, constants } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { anvilBinary } from './anvil-binary.ts';

test('finds an executable for this platform', async () => {
  await expect(access(anvilBinary(), constants.X_OK)).resolves.toBeUndefined();
});

test('names the missing package on an unknown platform', () => {
  expect(() => anvilBinary('plan9', 'mips')).toThrow('@foundry-rs/anvil-plan9-mips');
});
