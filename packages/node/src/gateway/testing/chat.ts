import { type Receipt, receiptDigest } from '@commonweight/protocol';
import { type Behaviour, FakeWorker } from './fake-worker.ts';
import { STOP_ID, domain } from './answer-fixture.ts';
import { encode } from './byte-model.ts';

/** The smallest chat request that the byte model answers. */
export const base = { model: 'tiny', messages: [{ role: 'user' as const, content: 'hi' }] };

/** Answers with this text and the stop id. */
export const say =
  (text: string): Behaviour =>
  ({ answer }) =>
    answer([...encode(text), STOP_ID]);

export const worker = (behaviour: Behaviour, name = 'a'): Promise<FakeWorker> => new FakeWorker(name, behaviour).start();

/** Name of the file that keeps an answer's bundle. */
export const bundleFile = (receipt: Receipt): string => `${receiptDigest(receipt, domain)}-${receipt.requestHash}.json`;
