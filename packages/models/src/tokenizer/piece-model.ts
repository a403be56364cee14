/** What is between added tokens: pieces of text to ids, and a token's text to the bytes that it stands for. */
export interface PieceModel {
  readonly encode: (text: string) => Iterable<number>;
  readonly bytesOf: (token: string) => Uint8Array;
}
