/** The bytes of every token in the order of a walk through their prefix tree. */
export interface TokenVocabulary {
  /** Bytes of each token by id; empty for control tokens and for ids without a token. */
  readonly bytes: readonly Uint8Array[];
  /** Ids with bytes, sorted by them. */
  readonly order: Int32Array;
  /** How many bytes the i-th of `order` shares with the one before it. */
  readonly shared: Int32Array;
  /** The bytes of the i-th of `order` are those of `sorted` from `starts[i]` to `starts[i + 1]`. */
  readonly sorted: Uint8Array;
  readonly starts: Int32Array;
}

/** @param bytesOf - bytes that an id stands for in a text; none for a control token */
export function tokenVocabulary(size: number, bytesOf: (id: number) => Uint8Array): TokenVocabulary {
  const bytes = Array.from({ length: size }, (_, id) => bytesOf(id));
  const order = Int32Array.from(
    [...bytes.keys()].filter((id) => bytes[id]!.length > 0).sort((a, b) => compare(bytes[a]!, bytes[b]!) || a - b),
  );
  const shared = order.map((id, i) => (i === 0 ? 0 : commonPrefix(bytes[order[i - 1]!]!, bytes[id]!)));
  const starts = new Int32Array(order.length + 1);
  for (const [i, id] of order.entries()) starts[i + 1] = starts[i]! + bytes[id]!.length;
  const sorted = new Uint8Array(starts.at(-1)!);
  for (const [i, id] of order.entries()) sorted.set(bytes[id]!, starts[i]);
  return { bytes, order, shared, sorted, starts };
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const at = commonPrefix(a, b);
  return (a[at] ?? -1) - (b[at] ?? -1);
}

function commonPrefix(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}
