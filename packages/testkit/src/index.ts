export { byzantineCommand, byzantineScript } from './byzantine/byzantine-command.ts';
export { cacheFolder, requireRealModel } from './real-model.ts';
export { type ByzantineStrategy, byzantineStrategies, isByzantineStrategy } from './byzantine/strategies.ts';
export { type RoleCommand, type RoleProcess, spawnRole } from './role-process.ts';
export { type TestNetwork, type TestNetworkOptions, startTestNetwork } from './test-network.ts';
export { importTinyModel, tinyModel, type TinyModelOptions } from './tiny-gguf.ts';
export { FloatModel, type FloatShape } from './float/float-model.ts';
export { floatModelOf, loadFloat } from './float/load-float.ts';
