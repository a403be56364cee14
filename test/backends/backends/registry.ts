import { arm64 } from './arm64.ts';
import type { BackEnd } from './backend.ts';
import { chromium } from './chromium.ts';
import { nativeLevels } from './native.ts';
import { reference, wasm, wasmThread, wasmThreads } from './node.ts';

/** The first that runs is what the others are compared with. */
export const backEnds: readonly BackEnd[] = [reference, wasm, wasmThread, wasmThreads, ...nativeLevels, arm64, chromium];
