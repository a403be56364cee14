import {
  type Address,
  type Checkpoint,
  type CheckpointFault,
  type Domain,
  type Hex32,
  type SignedCheckpoint,
  StreamHead,
  checkpointDigest,
  checkpointFault,
  isCheckpointDue,
  isSignedBy,
} from '@commonweight/protocol';
import { NodeFailure } from '../network/node-failure.ts';
import { nativeSha256 } from '../../platform/sha256.ts';
import { ReceiptInvalid } from './receipt-invalid.ts';

export interface StreamProofOptions {
  readonly requestHash: Hex32;
  readonly nonce: Hex32;
  readonly domain: Domain;
  /** The node's session key as the list of nodes has it. */
  readonly sessionKey: Address;
  /** Reads it from the chain again: the node may have changed it a moment ago. */
  readonly currentKey: () => Promise<Address>;
}

/** What a node has signed of its stream so far, checked against the tokens that came (SPEC section 28). */
export class StreamProof {
  readonly #o: StreamProofOptions;
  readonly #chain: StreamHead;
  #sessionKey: Address;
  #owed = false;
  #until = Number.POSITIVE_INFINITY;
  #last: SignedCheckpoint | undefined;
  #refused: SignedCheckpoint | undefined;

  constructor(options: StreamProofOptions) {
    this.#o = options;
    this.#sessionKey = options.sessionKey;
    this.#chain = new StreamHead(options.requestHash, options.nonce, nativeSha256);
  }

  /** The last good checkpoint: it covers the first tokens of what came. */
  get last(): SignedCheckpoint | undefined {
    return this.#last;
  }

  /** The checkpoint that was refused, as evidence. */
  get refused(): SignedCheckpoint | undefined {
    return this.#refused;
  }

  /** @throws NodeFailure when the checkpoint of the tokens before it is missing. */
  token(id: number): void {
    this.complete();
    this.#chain.append(id);
    this.#owed = isCheckpointDue(this.#chain.count);
  }

  /** The payer ended the answer there: later tokens belong to nobody, and a checkpoint over them is not kept. */
  endAt(completionTokens: number): void {
    this.#until = completionTokens;
  }

  /** @throws NodeFailure when a checkpoint is missing. */
  complete(): void {
    if (this.#owed) throw new NodeFailure('malformed', `the node did not sign its checkpoint after token ${this.#chain.count}`);
  }

  /** @throws ReceiptInvalid (`checkpoint`, `equivocation`), NodeFailure for one that nobody waits for. */
  async checkpoint(frame: { readonly completionTokens: number; readonly head: Hex32; readonly signature: `0x${string}` }): Promise<void> {
    const { requestHash, domain } = this.#o;
    const { completionTokens, head, signature } = frame;
    const signed: SignedCheckpoint = { checkpoint: { requestHash, completionTokens, head }, signature };
    if (!this.#owed) return this.#unexpected(signed);
    const expected: Checkpoint = { requestHash, completionTokens: this.#chain.count, head: this.#chain.head };
    let fault = checkpointFault(signed, expected, domain, this.#sessionKey);
    if (fault === 'signature') {
      this.#sessionKey = await this.#o.currentKey();
      fault = checkpointFault(signed, expected, domain, this.#sessionKey);
    }
    if (fault) throw this.#refuse(signed, 'checkpoint', message(fault, expected, signed.checkpoint, this.#sessionKey));
    this.#owed = false;
    if (completionTokens <= this.#until) this.#last = signed;
  }

  #unexpected(signed: SignedCheckpoint): never {
    const { completionTokens, head } = signed.checkpoint;
    const before = this.#last?.checkpoint;
    const differs = before?.completionTokens === completionTokens && before.head !== head;
    if (differs && isSignedBy(checkpointDigest(signed.checkpoint, this.#o.domain), signed.signature, this.#sessionKey)) {
      throw this.#refuse(signed, 'equivocation', `the node signed two different heads over ${completionTokens} tokens of one request`);
    }
    throw new NodeFailure('malformed', `the node sent a checkpoint over ${completionTokens} tokens after token ${this.#chain.count}`);
  }

  #refuse(signed: SignedCheckpoint, check: 'checkpoint' | 'equivocation', text: string): ReceiptInvalid {
    this.#refused = signed;
    return new ReceiptInvalid(check, text);
  }
}

function message(fault: CheckpointFault, expected: Checkpoint, got: Checkpoint, sessionKey: Address): string {
  if (fault === 'signature') return `expected the signature of ${sessionKey}, the session key registered on chain`;
  if (fault === 'head')
    return `the ${expected.completionTokens} tokens that came give the head ${expected.head}, the node signed ${got.head}`;
  return `expected a checkpoint over ${expected.completionTokens} tokens, the node signed one over ${got.completionTokens}`;
}
