import { concatBytes, sha256, toHex } from '@commonweight/protocol';

const FLUSH_BYTES = 1 << 16;

/** SHA-256 chain over integers, each written as 8 bytes little-endian behind the length of its list. */
export class IntegerDigest {
  readonly #bytes = new Uint8Array(FLUSH_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #used = 0;
  #chain: Uint8Array = new Uint8Array(32);

  add(values: ArrayLike<number> | BigInt64Array): void {
    this.#write(values.length);
    for (let i = 0; i < values.length; i++) this.#write(values[i]!);
  }

  hex(): string {
    this.#flush();
    return toHex(this.#chain);
  }

  #write(value: number | bigint): void {
    if (this.#used === FLUSH_BYTES) this.#flush();
    if (typeof value === 'bigint') {
      this.#view.setBigInt64(this.#used, value, true);
    } else {
      this.#view.setInt32(this.#used, value, true); // the low 32 bits
      this.#view.setInt32(this.#used + 4, Math.floor(value / 2 ** 32), true);
    }
    this.#used += 8;
  }

  #flush(): void {
    this.#chain = sha256(concatBytes(this.#chain, this.#bytes.subarray(0, this.#used)));
    this.#used = 0;
  }
}
