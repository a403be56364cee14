import process from 'node:process';
import type { BackEnd } from './backend.ts';
import { hostRun } from './run-host.ts';

const inThisNode = (name: string, engine: BackEnd['engine']): BackEnd => ({
  name,
  engine,
  prepare: ({ cache, compiled }) => Promise.resolve(hostRun([process.execPath], cache, compiled)),
});

export const reference = inThisNode('reference', { engine: 'reference', thread: false });
export const wasm = inThisNode('wasm', { engine: 'wasm', thread: false });
export const wasmThread = inThisNode('wasm-thread', { engine: 'wasm', thread: true });
export const wasmThreads = inThisNode('wasm-threads', { engine: 'wasm-threads', thread: false });
