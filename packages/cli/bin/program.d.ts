export declare function isPacked(here?: string): boolean;
export declare function programUrl(here?: string): string;
