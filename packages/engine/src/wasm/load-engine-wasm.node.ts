import { CommonweightError } from '@commonweight/protocol';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ENGINE_WASM_SHA256 } from './engine-digest.ts';
import { type EngineModule, webAssembly } from './web-assembly.ts';

/** The file that ships with this package. */
export const engineWasmFile = fileURLToPath(new URL('../../wasm/engine.wasm', import.meta.url));

/** Reads, checks and compiles the engine. Throws a {@link CommonweightError} when the file is not the one that this version was tested with. */
export function loadEngineWasm(file: string = engineWasmFile): EngineModule {
  const bytes = readFileSync(file);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== ENGINE_WASM_SHA256) {
    throw new CommonweightError(`engine.wasm: expected SHA-256 ${ENGINE_WASM_SHA256}, got ${digest}; install the package again`, {
      code: 'engine-wasm',
      action: 'stop',
      details: { file },
    });
  }
  return new webAssembly.Module(bytes);
}
