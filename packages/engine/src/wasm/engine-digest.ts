// Written by scripts/build-wasm.mjs.

/** SHA-256 of `wasm/engine.wasm`. */
export const ENGINE_WASM_SHA256 = '6bc2cb24a38283720ba413d6024d2b1d5c8ab54602e893339d5e1c50218c0cb8';
