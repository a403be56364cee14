import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { CommonweightError } from '@commonweight/protocol';
import { withFileErrors } from '../file-errors.ts';
import { limits } from '../limits.ts';

const END = 0x06054b50;
const END_BYTES = 22;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;

const fail = (what: string): never => {
  throw new CommonweightError(`zip file: ${what}`, { code: 'zip', action: 'retry' });
};

interface Member {
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly start: number;
}

export interface ZipMemberOptions {
  readonly zipPath: string;
  /** Full name in the archive; the only member that is looked at. It never becomes a path. */
  readonly member: string;
  /** Size that the member must have. */
  readonly bytes: number;
  readonly outPath: string;
  readonly onBytes: (done: number) => void;
  readonly signal?: AbortSignal;
}

/** Unpacks one member (stored or deflated, no ZIP64, no encryption), streaming. Format: PKWARE APPNOTE 4.3. */
export async function extractZipMember(options: ZipMemberOptions): Promise<void> {
  const { zipPath, outPath, bytes } = options;
  const file = await withFileErrors(`opening ${zipPath}`, () => open(zipPath, 'r'));
  let member: Member;
  try {
    member = await locate(file, options.member);
  } finally {
    await file.close();
  }
  if (member.size !== bytes) fail(`expected ${bytes} bytes of ${options.member}, got ${member.size}`);
  const input = createReadStream(zipPath, { start: member.start, end: member.start + member.packed - 1 });
  const output = createWriteStream(outPath);
  const meter = meterOf(bytes, options.onBytes);
  const stages = member.method === STORED ? [input, meter, output] : [input, createInflateRaw(), meter, output];
  try {
    await withFileErrors(`writing ${outPath}`, () => pipeline(stages, options.signal ? { signal: options.signal } : {}));
  } catch (error) {
    const damaged = String((error as NodeJS.ErrnoException).code).startsWith('Z_');
    throw damaged ? new CommonweightError(`zip file: ${options.member} is damaged`, { code: 'zip', action: 'retry', cause: error }) : error;
  }
  if (output.bytesWritten !== bytes) fail(`expected ${bytes} bytes of ${options.member}, unpacked ${output.bytesWritten}`);
}

function meterOf(maximum: number, onBytes: (done: number) => void): Transform {
  let done = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, callback) {
      done += chunk.length;
      if (done > maximum) {
        callback(new CommonweightError(`zip file: a member unpacks to more than ${maximum} bytes`, { code: 'zip' }));
        return;
      }
      onBytes(done);
      callback(null, chunk);
    },
  });
}

async function locate(file: FileHandle, name: string): Promise<Member> {
  const { size } = await file.stat();
  const read = async (at: number, length: number, what: string): Promise<DataView> => {
    if (at < 0 || length < 0 || at + length > size) fail(`${what}: expected bytes ${at} to ${at + length}, the file has ${size}`);
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, at);
    if (bytesRead !== length) fail(`${what}: the file is cut short`);
    return new DataView(bytes.buffer);
  };
  const tailBytes = Math.min(size, END_BYTES + 0xffff);
  const tail = await read(size - tailBytes, tailBytes, 'end of central directory');
  let end = tailBytes - END_BYTES;
  while (end >= 0 && tail.getUint32(end, true) !== END) end--;
  if (end < 0) fail('no end of central directory; this is not a zip file, or it is cut short');
  const count = tail.getUint16(end + 10, true);
  const directoryBytes = tail.getUint32(end + 12, true);
  if (count > limits.zipEntries || directoryBytes > limits.zipDirectoryBytes)
    fail(`a directory of ${count} entries and ${directoryBytes} bytes`);
  const directory = await read(tail.getUint32(end + 16, true), directoryBytes, 'central directory');

  for (let at = 0, i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > directoryBytes || directory.getUint32(at, true) !== ENTRY)
      fail(`entry ${i} of the central directory is damaged`);
    const nameBytes = directory.getUint16(at + 28, true);
    const next = at + ENTRY_BYTES + nameBytes + directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
    if (next > directoryBytes) fail(`entry ${i} of the central directory is damaged`);
    if (new TextDecoder().decode(new Uint8Array(directory.buffer, at + ENTRY_BYTES, nameBytes)) === name) {
      return await memberOf(directory, at, read);
    }
    at = next;
  }
  return fail(`expected the member ${name}, found none`);
}

async function memberOf(
  directory: DataView,
  at: number,
  read: (at: number, length: number, what: string) => Promise<DataView>,
): Promise<Member> {
  const method = directory.getUint16(at + 10, true);
  if (directory.getUint16(at + 8, true) & ENCRYPTED || (method !== STORED && method !== DEFLATED))
    fail(`compression method ${method} is not supported`);
  const packed = directory.getUint32(at + 20, true);
  const size = directory.getUint32(at + 24, true);
  const offset = directory.getUint32(at + 42, true);
  if (packed === 0 || [packed, size, offset].includes(0xffffffff)) fail('empty and ZIP64 members are not supported');
  const local = await read(offset, LOCAL_BYTES, 'local header');
  if (local.getUint32(0, true) !== LOCAL) fail('the local header is damaged');
  const start = offset + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  await read(start + packed - 1, 1, 'member data');
  return { method, packed, size, start };
}
