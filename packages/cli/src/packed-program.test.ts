import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { programUrl } from '../bin/program.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'commonweight-packed-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Makes a file that was last written at `time`, in seconds. */
function file(path: string, time: number): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), '');
  utimesSync(join(folder, path), time, time);
}
const chosen = (): string =>
  programUrl(pathToFileURL(join(folder, 'packages/cli/bin/program.js')).href).slice(pathToFileURL(folder).href.length);
const PACKED = '/packages/cli/dist/packed/index.js';
const COMPILED = '/packages/cli/dist/index.js';

test('the packed program runs unless the compiler wrote something since', () => {
  expect(chosen()).toBe(COMPILED);
  file(PACKED, 1_000);
  // an installed package has no build information
  expect(chosen()).toBe(PACKED);
  file('packages/chain/dist/.tsbuildinfo', 1_000);
  file('packages/cli/dist/.tsbuildinfo', 999);
  expect(chosen()).toBe(PACKED);
  file('packages/chain/dist/.tsbuildinfo', 1_001);
  expect(chosen()).toBe(COMPILED);
});
