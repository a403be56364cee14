// Written by scripts/build-wasm.mjs.

/** SHA-256 of `wasm/engine.wasm`. */
export const ENGINE_WASM_SHA256 = '83921bf7d061c99f8b5af24ba8a4dd64c8cf1a9e52d55775a9a2187f59691002';
