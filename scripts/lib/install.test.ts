import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isInstalled } from './install.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'commonweight-install-'));
  mkdirSync(join(root, 'node_modules'));
  lock({ a: '1.0.0', b: '2.0.0' });
});
afterEach(() => rmSync(root, { recursive: true }));

const entries = (versions: Record<string, string>) =>
  Object.fromEntries(Object.entries(versions).map(([name, version]) => [`node_modules/${name}`, { version }]));
function lock(versions: Record<string, string>, more = {}): void {
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...entries(versions), ...more } }));
}
const installed = (versions: Record<string, string>): void =>
  writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: entries(versions) }));

test('an install that never ended counts as none', () => {
  expect(isInstalled(root)).toBe(false);
});

test('what is locked must be there in its version', () => {
  installed({ a: '1.0.0', b: '2.0.0' });
  expect(isInstalled(root)).toBe(true);
  installed({ a: '1.0.0', b: '2.0.1' });
  expect(isInstalled(root)).toBe(false);
  installed({ a: '1.0.0' });
  expect(isInstalled(root)).toBe(false);
});

test("other platforms' binaries and links may be missing", () => {
  lock({ a: '1.0.0' }, { 'node_modules/x-win32': { version: '1.0.0', optional: true }, 'node_modules/own': { link: true } });
  installed({ a: '1.0.0' });
  expect(isInstalled(root)).toBe(true);
});
