/** The few members of the `WebAssembly` namespace used here; present in Node and browsers, but typed only by the DOM library. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
  /** @returns pages of 64 KiB before the call; throws RangeError when there is no more. */
  grow(pages: number): number;
}

/** A compiled engine (`WebAssembly.Module`). Threads can share one. */
export type EngineModule = object;

interface WebAssemblyNamespace {
  readonly Module: new (bytes: Uint8Array) => EngineModule;
  readonly Instance: new (
    module: EngineModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (descriptor: { readonly initial: number; readonly maximum: number; readonly shared: true }) => WasmMemory;
}

export const webAssembly = (globalThis as unknown as { readonly WebAssembly: WebAssemblyNamespace }).WebAssembly;
