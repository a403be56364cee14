export type { CheckedCompletion, Verified } from './answer.ts';
export { ChatStream } from './chat-stream.ts';
export { type CallOptions, type ClientOptions, CommonweightClient } from './client.ts';
export { AnswerRefused, ApiError, PaymentRefused, type PaymentRefusal } from './errors.ts';
export type { NetworkFacts, NodeTerms } from './facts.ts';
export { limits as sdkLimits } from './limits.ts';
export { type Platform, webPlatform } from './platform/web.ts';
export type { ChatCompletion, ChatCompletionChunk, ChatMessage, ChatParams, Usage } from './types.ts';
