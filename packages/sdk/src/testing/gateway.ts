import { type Bundle, type CanonicalRequest, type Receipt, bundleToJson } from '@commonweight/protocol';
import { decode, decodeText, domain, executor, factsFor, job, makeBundle, manifest } from '@commonweight/verifier/testing';
import type { NetworkFacts } from '../facts.ts';
import { type Platform, webPlatform } from '../platform/web.ts';

const run = decode(executor, job);

/** A whole answer of a real (tiny) model with a receipt that is signed like any other. */
export const answerOf = (forge?: (receipt: Receipt) => Receipt, agreed: Partial<CanonicalRequest> = {}): Bundle =>
  makeBundle({ manifest, job, ...run, finishReason: 'length', agreed, ...(forge && { forge }) });

export const text = decodeText(run.completionIds);

export const modelId = answerOf().receipt.modelId;

const head = { id: 'chatcmpl-1', created: 1, model: 'tiny' };

export const body = (bundle: Bundle, shown = text) => ({
  ...head,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: shown }, logprobs: null, finish_reason: 'length' }],
  usage: { prompt_tokens: 6, completion_tokens: 12, total_tokens: 18 },
  receipt: bundleToJson(bundle),
});

export const json = (value: unknown, init: ResponseInit = {}): Response => Response.json(value, init);

/** The events of a stream; each piece of text is one chunk. */
export const events = (bundle: Bundle | undefined, pieces: readonly string[]): string[] => [
  ...pieces.map((content) => JSON.stringify(chunk([{ index: 0, delta: { content }, finish_reason: null, logprobs: null }]))),
  ...(bundle ? [JSON.stringify({ ...chunk([]), receipt: bundleToJson(bundle) }), '[DONE]'] : []),
];

const chunk = (choices: unknown[]) => ({ ...head, object: 'chat.completion.chunk', choices });

export const stream = (list: readonly string[]): Response =>
  new Response(list.map((data) => `data: ${data}\n\n`).join(''), { headers: { 'content-type': 'text/event-stream' } });

/** An answer, or what makes it of the request. */
export type Answer = Response | ((request: Request) => Response | Promise<Response>);

/** Answers one call after the other, at the time of `answerOf`, and keeps what was asked. */
export function answering(...responses: readonly Answer[]): Platform & { readonly asked: Request[] } {
  const asked: Request[] = [];
  const left = [...responses];
  return {
    ...webPlatform,
    asked,
    now: () => answerOf().receipt.issuedAt,
    fetch: async (...args) => {
      const request = new Request(...args);
      asked.push(request);
      const response = left.shift();
      if (!response) throw new Error('asked once more than there are answers');
      return typeof response === 'function' ? response(request) : response;
    },
  };
}

/** What the caller's own chain says of the answer's node. */
export function factsAbout(bundle: Bundle, fields: Partial<NetworkFacts> = {}): NetworkFacts {
  const { node } = factsFor(bundle);
  return {
    chainId: domain.chainId,
    receiptLog: domain.verifyingContract,
    node: async () => node,
    terms: async () => undefined,
    channel: async () => ({ balance: 0n, claimed: 0n }),
    ...fields,
  };
}
