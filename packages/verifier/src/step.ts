/** The steps of a verification, in order. Ids are stable; titles are for people. */
export const stepTitles = {
  shape: 'sizes and counts of the bundle',
  request: "request hash and the payer's signature",
  terms: 'receipt against request: model, node, payer, channel, asset, prices',
  prompt: 'prompt ids against the root in the request',
  ids: 'prompt and answer ids against the root in the receipt',
  counts: 'token counts that are billed',
  stop: 'stop rule',
  end: "the payer's signed end",
  consent: 'opening of the audit consent',
  signature: "the node's signature over the receipt",
  amount: 'amount and position in the chain of receipts',
  text: 'answer text against the ids',
  model: 'model id of the weights used here',
  digests: 'residual digests against the signed root',
  tokens: 're-execution: head and sampler at every generated position',
  logprobs: 're-execution: log probabilities that were shown',
  execution: 're-execution: residual digests of every position',
  'chain-batch': 'receipt in a batch on chain',
  'chain-node': 'node registered, bonded and owner of the signing key',
  'chain-model': 'model registered on chain',
} as const;

/** The steps for an answer that broke off, in order: titles where the step is about the checkpoint instead of the receipt. */
export const partialStepTitles = {
  shape: stepTitles.shape,
  request: stepTitles.request,
  prompt: stepTitles.prompt,
  counts: 'number of covered tokens',
  ids: 'answer ids against the head in the checkpoint',
  stop: stepTitles.stop,
  consent: stepTitles.consent,
  signature: "the node's signature over the checkpoint",
  text: 'answer text against the covered ids',
  model: stepTitles.model,
  tokens: 're-execution: head and sampler at every covered position',
  logprobs: stepTitles.logprobs,
  'chain-node': stepTitles['chain-node'],
  'chain-model': stepTitles['chain-model'],
} as const satisfies Partial<Record<keyof typeof stepTitles, string>>;

export type PartialStepId = keyof typeof partialStepTitles;
export const partialStepIds = Object.keys(partialStepTitles) as PartialStepId[];

export type StepId = keyof typeof stepTitles;
export const stepIds = Object.keys(stepTitles) as StepId[];
