import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CommonweightError } from '@commonweight/protocol';
import { journalLimits } from '../limits.ts';
import { syncFolder } from '../platform/files.ts';
import { FolderLock } from '../platform/lock.ts';
import { Mutex } from '../platform/mutex.ts';
import { HEADER_BYTES, encodeRecord, readRecord } from './record.ts';

export interface JournalOpened {
  readonly journal: Journal;
  readonly records: number;
  /** Bytes of a cut last write that were removed. */
  readonly tornBytes: number;
}

/**
 * Append-only file of JSON records, each forced to disk before {@link append} resolves: what is not in here has not happened.
 * One process at a time. After a failed write or fsync nothing more is accepted: what the disk then holds is known only by reading it again.
 */
export class Journal {
  readonly #file: FileHandle;
  readonly #lock: FolderLock;
  readonly #mutex = new Mutex();
  readonly #whenFull: string;
  #size: number;
  #broken: unknown;

  private constructor(file: FileHandle, lock: FolderLock, size: number, whenFull: string) {
    this.#file = file;
    this.#lock = lock;
    this.#size = size;
    this.#whenFull = whenFull;
  }

  /**
   * Opens or creates the journal in `folder` and replays it in order.
   * @param replay - called with each record and its byte offset; what it throws refuses the journal.
   * @param whenFull - what its owner is told to do then.
   * @throws CommonweightError `locked`, or `journal_damaged` when bytes that counted do not hold.
   */
  static async open(
    folder: string,
    replay: (value: unknown, offset: number) => void,
    whenFull = 'start a node with a new key and data directory',
  ): Promise<JournalOpened> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = await FolderLock.acquire(folder);
    let file: FileHandle | undefined;
    try {
      file = await open(join(folder, 'journal'), constants.O_RDWR | constants.O_CREAT, 0o600);
      const { size: before } = await file.stat();
      const { end, records } = await replayAll(file, before, replay);
      if (end < before) await file.truncate(end);
      await file.sync();
      await syncFolder(folder);
      return { journal: new Journal(file, lock, end, whenFull), records, tornBytes: before - end };
    } catch (error) {
      await file?.close();
      await lock.release();
      throw error;
    }
  }

  /** Replays the journal of a process that may be writing it: nothing is locked, changed or cut off. A folder without one has no records. */
  static async read(folder: string, replay: (value: unknown, offset: number) => void): Promise<number> {
    let file: FileHandle;
    try {
      file = await open(join(folder, 'journal'), constants.O_RDONLY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
      throw error;
    }
    try {
      return (await replayAll(file, (await file.stat()).size, replay)).records;
    } finally {
      await file.close();
    }
  }

  /** Bytes on disk. */
  get size(): number {
    return this.#size;
  }

  /** Appends one record and forces it to disk; resolves with its offset. */
  append(value: unknown): Promise<number> {
    return this.#mutex.run(async () => {
      if (this.#broken !== undefined) throw broken(this.#broken);
      const record = encodeRecord(Buffer.from(JSON.stringify(value), 'utf8'));
      if (this.#size + record.length > journalLimits.journalBytes) {
        throw new CommonweightError(`the journal has reached ${journalLimits.journalBytes} bytes; ${this.#whenFull}`, {
          code: 'journal_full',
          action: 'stop',
        });
      }
      const offset = this.#size;
      try {
        await writeAll(this.#file, record, offset);
        await this.#file.datasync();
      } catch (error) {
        this.#broken = error;
        throw broken(error);
      }
      this.#size += record.length;
      return offset;
    });
  }

  /** The record that {@link append} put at `offset`. */
  async read(offset: number): Promise<unknown> {
    const buffer = Buffer.alloc(Math.min(HEADER_BYTES + journalLimits.recordBytes, this.#size - offset));
    await readAll(this.#file, buffer, offset);
    const record = readRecord(buffer, 0);
    if (record.kind !== 'record') throw damaged(offset);
    return JSON.parse(record.payload.toString('utf8'));
  }

  async close(): Promise<void> {
    await this.#mutex.run(async () => {
      this.#broken ??= new Error('closed');
      await this.#file.close();
      await this.#lock.release();
    });
  }
}

async function replayAll(
  file: FileHandle,
  size: number,
  replay: (value: unknown, offset: number) => void,
): Promise<{ end: number; records: number }> {
  const window = Buffer.alloc(4 * (HEADER_BYTES + journalLimits.recordBytes));
  let records = 0;
  let end = 0;
  for (;;) {
    // a window holds several whole records; it is read again from the first that may not fit
    const filled = Math.min(window.length, size - end);
    await readAll(file, window.subarray(0, filled), end);
    const data = window.subarray(0, filled);
    let at = 0;
    while (end + filled === size || filled - at >= HEADER_BYTES + journalLimits.recordBytes) {
      const record = readRecord(data, at);
      if (record.kind === 'end') return { end: end + at, records };
      if (record.kind === 'torn' && end + filled === size) return { end: end + at, records };
      if (record.kind !== 'record') throw damaged(end + at);
      replay(parse(record.payload, end + at), end + at);
      records++;
      at = record.end;
    }
    end += at;
  }
}

function parse(payload: Buffer, offset: number): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch (cause) {
    throw damaged(offset, cause);
  }
}

const damaged = (offset: number, cause?: unknown): CommonweightError =>
  new CommonweightError(
    `the journal is damaged at byte ${offset}: a record that counted does not hold. Signing on could sign one sequence number twice: restore the file from a copy, or start a node with a new key`,
    { code: 'journal_damaged', action: 'stop', details: { offset }, cause },
  );

const broken = (cause: unknown): CommonweightError =>
  new CommonweightError('the journal could not be written; nothing more is signed until the node is started again', {
    code: 'journal_broken',
    action: 'stop',
    cause,
  });

async function writeAll(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let done = 0; done < data.length;) done += (await file.write(data, done, data.length - done, position + done)).bytesWritten;
}

async function readAll(file: FileHandle, target: Buffer, position: number): Promise<void> {
  for (let done = 0; done < target.length;) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0)
      throw new CommonweightError('the journal became shorter while it was read', { code: 'journal_damaged', action: 'stop' });
    done += bytesRead;
  }
}
