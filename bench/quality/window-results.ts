import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figures } from './compare.ts';

/** Figures of one subject, a window at a time, kept on disk: a run that was interrupted goes on where it was. */
export class WindowResults {
  readonly #file: string;
  readonly #windows: Record<string, Figures>;

  /** @param identity - of the subject and of the float model */
  constructor(folder: string, identity: string) {
    mkdirSync(folder, { recursive: true });
    this.#file = join(folder, `${digest(identity)}.json`);
    this.#windows = existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, 'utf8')) as Record<string, Figures>) : {};
  }

  get(ids: readonly number[]): Figures | undefined {
    return this.#windows[digest(ids.join())];
  }

  set(ids: readonly number[], figures: Figures): void {
    this.#windows[digest(ids.join())] = figures;
    writeFileSync(`${this.#file}.part`, JSON.stringify(this.#windows));
    renameSync(`${this.#file}.part`, this.#file);
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);
