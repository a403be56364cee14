export interface Toolchain {
  readonly clang: string;
  readonly linker: string;
}
export declare const TOOLCHAIN: string;
export declare const wasmFile: string;
export declare const digestFile: string;
export declare function findToolchain(): Toolchain | undefined;
export declare function buildWasm(toolchain: Toolchain): Buffer;
export declare function digestModule(bytes: Uint8Array): string;
