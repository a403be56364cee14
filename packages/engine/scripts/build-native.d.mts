export declare const addonFile: string;
export declare function findCompiler(): string | undefined;
export declare function buildNative(compiler: string, output?: string): void;
export declare function kernelSourcesDigest(): string;
