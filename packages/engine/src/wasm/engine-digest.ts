// Written by scripts/build-wasm.mjs.

/** SHA-256 of `wasm/engine.wasm`. */
export const ENGINE_WASM_SHA256 = '2a9d5fa19be88317065dfb6627d23613a526c400fa0f7df008f669cf2969cd2f';
