export type Phase = 'download' | 'verify' | 'import';

/** `total` is undefined while it is not known. Bytes. */
export type OnProgress = (phase: Phase, done: number, total: number | undefined) => void;
