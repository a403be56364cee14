import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, readSmallFile, syncFolder } from '../../platform/files.ts';
import { Mutex } from '../../platform/mutex.ts';
import { randomHex } from '../../platform/random.ts';

/** Writes a file that is there whole or not at all, also after a power failure. */
export async function writeDurableFile(folder: string, name: string, text: string): Promise<void> {
  const temporary = join(folder, `${name}.${randomHex(6)}.tmp`);
  try {
    const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Files `<name>.json` in one folder, a bounded number of them: the oldest is removed. Names come from digests and counters, never from users. */
export class JsonFolder {
  readonly #folder: string;
  readonly #limit: number;
  /** Oldest first. */
  readonly #names: Set<string>;
  readonly #turns = new Mutex();

  private constructor(folder: string, limit: number, names: Set<string>) {
    this.#folder = folder;
    this.#limit = limit;
    this.#names = names;
  }

  static async open(folder: string, limit: number): Promise<JsonFolder> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found: { name: string; at: number }[] = [];
    for (const file of await readdir(folder)) {
      if (file.endsWith('.tmp')) await rm(join(folder, file), { force: true });
      else if (file.endsWith('.json')) found.push({ name: file.slice(0, -5), at: (await stat(join(folder, file))).mtimeMs });
    }
    found.sort((a, b) => a.at - b.at);
    return new JsonFolder(folder, limit, new Set(found.map(({ name }) => name)));
  }

  /** Durable when it returns. */
  put(name: string, text: string): Promise<void> {
    return this.#turns.run(async () => {
      await writeDurableFile(this.#folder, `${name}.json`, text);
      this.#names.delete(name);
      this.#names.add(name);
      for (const oldest of this.#names) {
        if (this.#names.size <= this.#limit) break;
        this.#names.delete(oldest);
        await rm(join(this.#folder, `${oldest}.json`), { force: true });
      }
    });
  }

  remove(name: string): Promise<void> {
    return this.#turns.run(async () => {
      if (this.#names.delete(name)) await rm(join(this.#folder, `${name}.json`), { force: true });
    });
  }

  /** The newest name that `matches`. */
  find(matches: (name: string) => boolean): string | undefined {
    return [...this.#names].findLast(matches);
  }

  /** Text of a file, at most `maximum` bytes; undefined when there is none. */
  async get(name: string, maximum: number): Promise<string | undefined> {
    if (!this.#names.has(name)) return undefined;
    try {
      return (await readSmallFile(join(this.#folder, `${name}.json`), maximum)).toString('utf8');
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}
