// Written by scripts/build-wasm.mjs.

/** SHA-256 of `wasm/engine.wasm`. */
export const ENGINE_WASM_SHA256 = '84e92eee6a6ba8405bea939815da2810c5d1be7a6dfe1f5bb3bb0cde3ebc8307';
