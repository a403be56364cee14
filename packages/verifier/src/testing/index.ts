export * from './make-bundle.ts';
export * from './tiny.ts';
