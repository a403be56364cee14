import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { findCompiler } from '../../scripts/build-native.mjs';
import { noCompiler } from '../testing/built-addon.node.ts';

const folder = mkdtempSync(join(tmpdir(), 'lost-thread-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

// In C, as nothing in JavaScript can hold up one thread of the addon.
it.skipIf(noCompiler !== undefined)(
  'patience is a time, and a step that lost a thread waits until late helpers have left its memory',
  () => {
    const program = join(folder, 'lost-thread');
    const source = fileURLToPath(new URL('lost-thread.test.c', import.meta.url));
    const built = spawnSync(findCompiler()!, ['-std=gnu11', '-O2', '-pthread', source, '-o', program], { encoding: 'utf8' });
    expect([built.stderr, built.status]).toEqual(['', 0]);
    const { stdout, status } = spawnSync(program, { encoding: 'utf8', timeout: 60_000 });
    expect([stdout, status]).toEqual(['', 0]);
  },
  90_000,
);
