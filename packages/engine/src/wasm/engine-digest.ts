// Written by scripts/build-wasm.mjs.

/** SHA-256 of `wasm/engine.wasm`. */
export const ENGINE_WASM_SHA256 = '26b26fc621a458c93aa0678b90c605ff2fad3c872d67f98bd984b60bf910d4da';
