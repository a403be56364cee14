/**
 * All that this package takes from viem, in one place: the build packs this module and what it pulls in into one file
 * (scripts/lib/build.mjs), because importing viem's hundreds of files costs every process of a network 0.4 s.
 */
export {
  type Abi,
  BaseError,
  type Chain as ViemChain,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  ContractFunctionRevertedError,
  type CustomTransport,
  ExecutionRevertedError,
  type Hex,
  HttpRequestError,
  RpcRequestError,
  type PublicClient,
  TimeoutError,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
  type TransactionSerializableEIP1559,
  concatHex,
  createPublicClient,
  custom,
  decodeFunctionData,
  defineChain,
  encodeAbiParameters,
  encodeFunctionData,
  getContractAddress,
  keccak256,
  serializeTransaction,
  stringToHex,
} from 'viem';
