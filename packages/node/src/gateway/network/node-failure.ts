import { CommonweightError } from '@commonweight/protocol';

export type NodeFailureKind =
  /** The node has no room now. */
  | 'busy'
  /** It could not be reached, or the connection broke. */
  | 'unreachable'
  /** It did not say anything in time. */
  | 'silent'
  /** What it sent is not what the wire format allows. */
  | 'malformed'
  /** It refused or gave up, and said so. */
  | 'refused';

/** A node did not give an answer. Another node may; nothing was proved against this one. */
export class NodeFailure extends CommonweightError {
  override readonly name = 'NodeFailure';
  readonly kind: NodeFailureKind;

  constructor(kind: NodeFailureKind, message: string, cause?: unknown) {
    super(message, { code: `node_${kind}`, action: 'retry', ...(cause !== undefined && { cause }) });
    this.kind = kind;
  }
}
