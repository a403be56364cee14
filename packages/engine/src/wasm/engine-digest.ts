// Written by scripts/build-wasm.mjs.

/** SHA-256 of `wasm/engine.wasm`. */
export const ENGINE_WASM_SHA256 = 'e74e713402d1c577edcb63d61a508dca88068ed11e85b901a530164aa9622b11';
