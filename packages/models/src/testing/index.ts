export { tinyModel, type TinyModelOptions } from './tiny-model.ts';
export { type MetadataEntry, type TensorEntry, writeGguf } from './write-gguf.ts';
