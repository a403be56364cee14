import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ChainError } from './errors.ts';

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Path of the anvil binary of this platform, straight from its package: the launcher's install script need not have run. */
export function anvilBinary(platform: string = process.platform, arch: string = process.arch): string {
  const name = `@foundry-rs/anvil-${platform}-${architectures[arch] ?? arch}`;
  const require = createRequire(import.meta.url);
  try {
    // the platform package is a dependency of the launcher, not of ours
    const launcher = createRequire(require.resolve('@foundry-rs/anvil/package.json'));
    return join(dirname(launcher.resolve(`${name}/package.json`)), 'bin', platform === 'win32' ? 'anvil.exe' : 'anvil');
  } catch (cause) {
    throw new ChainError(
      'no_anvil',
      `the development chain needs the npm package ${name}, which is not installed; reinstall, or use --rpc with a chain of your own`,
      { cause },
    );
  }
}
