// Written by scripts/build-wasm.mjs.

/** SHA-256 of `wasm/engine.wasm`. */
export const ENGINE_WASM_SHA256 = '88a5955343dc58ce5fdeb9516c662bdadc329391c76feb31298f6411f7ca3875';
