// Written by scripts/build-wasm.mjs.

/** SHA-256 of `wasm/engine.wasm`. */
export const ENGINE_WASM_SHA256 = '4290a1c111287a8eb47836fc3cacfad2b4edc36d98c5999c1f917179c9264ec5';
