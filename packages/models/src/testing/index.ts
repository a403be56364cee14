export { tinyCheckpoint, type TinyCheckpoint, writeCheckpoint } from './tiny-checkpoint.ts';
export { tinyModel, type TinyModelOptions } from './tiny-model.ts';
export { type MetadataEntry, type TensorEntry, writeGguf } from './write-gguf.ts';
export { type FloatTensor, writeQ8Gguf } from './write-q8-gguf.ts';
