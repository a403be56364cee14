import { type Frame, parseFrame, receiptAmount } from '@commonweight/protocol';
import { type KeyPayer, type PaidAsk } from '../../packages/node/src/payments/testing/key-payer.ts';
import { post } from '../../packages/node/src/payments/testing/stock-payer.ts';

export interface Answered {
  readonly ask: PaidAsk;
  readonly receipts: readonly Extract<Frame, { type: 'receipt' }>[];
  readonly refusal: string | undefined;
  /** Milliseconds since the process began: when the first token came. */
  readonly firstToken: number | undefined;
}

/** Sends a paid request and reads its answer to the end; busy queues are asked again. */
export async function answer(url: string, ask: PaidAsk): Promise<Answered> {
  for (;;) {
    const response = await post(url, ask.run, ask.header);
    if (response.status === 429) {
      await response.text();
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    let text = '';
    let firstToken: number | undefined;
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (firstToken === undefined && text.includes('"type":"token"')) firstToken = performance.now();
    }
    const frames = text
      .trim()
      .split('\n')
      .map((line) => parseFrame(JSON.parse(line)));
    const receipts = frames.flatMap((frame) => (frame.type === 'receipt' ? [frame] : []));
    const last = frames.at(-1)!;
    return { ask, receipts, refusal: last.type === 'error' ? `${last.code}: ${last.message}` : undefined, firstToken };
  }
}

/** So many paid requests at once, half of them on one channel, the others single payments. */
export async function parallelRuns(url: string, payer: KeyPayer, count: number): Promise<Answered[]> {
  const opening = await answer(url, payer.voucher(1, 10n ** 11n));
  if (opening.refusal !== undefined) throw new Error(`the channel was not opened: ${opening.refusal}`);
  const asks = Array.from({ length: count }, (_, i) =>
    i % 2 === 0 ? payer.voucher(1 + (i % 7)) : payer.single(i % 4 === 1 ? 'exact' : 'upto', 1 + (i % 7)),
  );
  return [opening, ...(await Promise.all(asks.map((ask) => answer(url, ask))))];
}

/** What a payer owes for an answer: the receipt's amount; `exact` moves all that was signed. */
export const due = ({ ask, receipts }: Answered): bigint =>
  ask.scheme === 'exact'
    ? receipts.length > 0
      ? ask.maximum
      : 0n
    : receipts.reduce((sum, { receipt }) => sum + receiptAmount(receipt), 0n);
