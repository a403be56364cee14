import { CommonweightError } from '@commonweight/protocol';

/** What the gateway checks of an answer before its end is passed on, in this order. */
export type AnswerCheck =
  | 'checkpoint'
  | 'signature'
  | 'node'
  | 'payer'
  | 'model'
  | 'request_hash'
  | 'prompt_tokens'
  | 'vocabulary'
  | 'completion_tokens'
  | 'finish_reason'
  | 'ids_root'
  | 'equivocation'
  | 'digests'
  | 'thin_root'
  | 'prices'
  | 'asset'
  | 'channel'
  | 'limit'
  | 'issued_at'
  | 'text'
  | 'sequence'
  | 'previous'
  | 'cumulative_amount'
  /** Of a paid run: the node took more than it may. */
  | 'settlement';

/** A node's answer contradicts its receipt or a checkpoint, or the receipt the request. The answer is refused and kept as evidence. */
export class ReceiptInvalid extends CommonweightError {
  override readonly name = 'ReceiptInvalid';
  readonly check: AnswerCheck;

  constructor(check: AnswerCheck, message: string) {
    super(`${check}: ${message}`, { code: 'receipt_invalid', action: 'stop', details: { check } });
    this.check = check;
  }
}
