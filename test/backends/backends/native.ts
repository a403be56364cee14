import { type NativeLevel, loadNativeAddon } from '@commonweight/engine/node';
import process from 'node:process';
import { type BackEnd, Missing, Unsuited } from './backend.ts';
import { hostRun } from './run-host.ts';

/** The native addon held to one instruction set. */
const nativeLevel = (level: NativeLevel): BackEnd => ({
  name: `native-${level}`,
  engine: { engine: 'native', level, thread: false },
  prepare: async ({ cache, compiled }) => {
    const addon = loadNativeAddon();
    if (addon === undefined) throw new Missing('the native addon is not built: npm run build:native');
    if (!addon.levels.includes(level)) throw new Unsuited(`this processor has ${addon.levels.join(', ')}`);
    return hostRun([process.execPath], cache, compiled);
  },
});

export const nativeLevels: readonly BackEnd[] = (['plain', 'avx2', 'vnni'] as const).map(nativeLevel);
