// Written by scripts/build-wasm.mjs.

/** SHA-256 of `wasm/engine.wasm`. */
export const ENGINE_WASM_SHA256 = '7a71e9eee2ead9f04b00ef70078f3ce8a5b48549b834035e591691bbfe955bef';
