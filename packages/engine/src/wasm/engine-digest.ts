// Written by scripts/build-wasm.mjs.

/** SHA-256 of `wasm/engine.wasm`. */
export const ENGINE_WASM_SHA256 = '62e4096bf5a7bb183bd4f74a0e051b4cb2ff18a3dee4a02dbb27f08e908032b8';
