import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hex32, type Receipt, ThinCommitment, committedPositions, isHex32, toHex } from '@commonweight/protocol';
import { workerLimits } from '../limits.ts';
import { isErrno, readSmallFile, writeWholeFile } from '../platform/files.ts';
import { nativeSha256 } from '../platform/sha256.ts';

/** Digests of the newest receipts' commit points, a file each. They can be regenerated from model and ids: losing one costs time, not truth. */
export class DigestStore {
  readonly #folder: string;
  /** Receipts with a file, oldest first. */
  readonly #kept: Set<Hex32>;
  readonly #limit: number;

  private constructor(folder: string, kept: Set<Hex32>, limit: number) {
    this.#folder = folder;
    this.#kept = kept;
    this.#limit = limit;
  }

  /** @param limit - files kept. */
  static async open(folder: string, limit: number = workerLimits.digestFiles): Promise<DigestStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found: { digest: Hex32; at: number }[] = [];
    for (const name of await readdir(folder)) {
      const digest = `0x${name.replace(/\.bin$/, '')}`;
      if (name.endsWith('.bin') && isHex32(digest)) found.push({ digest, at: (await stat(join(folder, name))).mtimeMs });
      else if (name.endsWith('.tmp')) await rm(join(folder, name), { force: true });
    }
    found.sort((a, b) => a.at - b.at);
    const store = new DigestStore(folder, new Set(found.map(({ digest }) => digest)), limit);
    await store.#trim();
    return store;
  }

  async put(receipt: Hex32, digests: Uint8Array): Promise<void> {
    await writeWholeFile(this.#path(receipt), digests);
    this.#kept.add(receipt);
    await this.#trim();
  }

  /** The digests behind a receipt's thin root, or undefined when they are no longer there or no longer fit it. */
  async get(digest: Hex32, receipt: Receipt, points: number): Promise<Uint8Array | undefined> {
    const size = 32 * points * committedPositions(receipt.promptTokens, receipt.completionTokens);
    let bytes: Uint8Array;
    try {
      bytes = await readSmallFile(this.#path(digest), size);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
    return bytes.length === size && toHex(ThinCommitment.fromBytes(points, bytes, nativeSha256).root()) === receipt.thinRoot
      ? bytes
      : undefined;
  }

  async #trim(): Promise<void> {
    while (this.#kept.size > this.#limit) {
      const [oldest] = this.#kept;
      this.#kept.delete(oldest!);
      await rm(this.#path(oldest!), { force: true });
    }
  }

  #path(digest: Hex32): string {
    return join(this.#folder, `${digest.slice(2)}.bin`);
  }
}
