import { existsSync } from 'node:fs';
import process from 'node:process';
import { capture } from '../../../scripts/lib/run.mjs';
import { type Context, Missing } from './backend.ts';

/** Installs Debian packages as root when one of `files` is not there. */
export async function requireDebian(packages: readonly string[], files: readonly string[], { log }: Context): Promise<void> {
  if (files.every((file) => existsSync(file))) return;
  const byHand = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Missing(`needs: ${byHand}`);
  log(`installing ${packages.join(', ')} (Debian)`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const { code, tail } = await capture('apt-get', args, { env });
    if (code !== 0) throw new Missing(`${byHand} failed: ${tail.trim().split('\n').at(-1)}`);
  }
}
