// Written by scripts/build-wasm.mjs.

/** SHA-256 of `wasm/engine.wasm`. */
export const ENGINE_WASM_SHA256 = '1e80e390a57ef2b271d1a014010b8bbf9d72fad66333a5c8a78158fb7f670835';
