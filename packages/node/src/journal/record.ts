import { crc32 } from 'node:zlib';
import { CommonweightError } from '@commonweight/protocol';
import { journalLimits } from '../limits.ts';

/** Bytes before each payload: its length, CRC-32 of that length, CRC-32 of the payload; little-endian u32. */
export const HEADER_BYTES = 12;

/** Frames one payload. Payloads are JSON text: none ends with a zero byte (see {@link readRecord}). */
export function encodeRecord(payload: Uint8Array): Buffer {
  if (payload.length === 0 || payload.length > journalLimits.recordBytes) {
    throw new CommonweightError(`a journal record has 1 to ${journalLimits.recordBytes} bytes, got ${payload.length}`, {
      code: 'journal_record',
      action: 'stop',
    });
  }
  const record = Buffer.alloc(HEADER_BYTES + payload.length);
  record.writeUInt32LE(payload.length, 0);
  record.writeUInt32LE(crc32(record.subarray(0, 4)), 4);
  record.writeUInt32LE(crc32(payload), 8);
  record.set(payload, HEADER_BYTES);
  return record;
}

export type RecordRead =
  | { readonly kind: 'record'; readonly payload: Buffer; readonly end: number }
  | { readonly kind: 'end' }
  /** The write of the last record was cut: it never counted, since nothing left the process before its fsync. */
  | { readonly kind: 'torn' }
  /** Bytes that no cut write leaves behind: a record that counted is damaged. */
  | { readonly kind: 'damaged' };

/**
 * Reads the record at `offset` of `data`, which reaches to the end of the file or holds at least one whole record from there.
 * A cut write leaves a prefix of a record, or zeros where blocks were allotted and not written; anything else is damage.
 */
export function readRecord(data: Buffer, offset: number): RecordRead {
  const rest = data.subarray(offset);
  if (rest.length === 0) return { kind: 'end' };
  if (rest.length < HEADER_BYTES) return { kind: 'torn' };
  const length = rest.readUInt32LE(0);
  const headerHolds = rest.readUInt32LE(4) === crc32(rest.subarray(0, 4)) && length > 0 && length <= journalLimits.recordBytes;
  if (headerHolds && rest.length < HEADER_BYTES + length) return { kind: 'torn' };
  if (headerHolds) {
    const payload = rest.subarray(HEADER_BYTES, HEADER_BYTES + length);
    if (crc32(payload) === rest.readUInt32LE(8)) return { kind: 'record', payload, end: offset + HEADER_BYTES + length };
    const unwritten = payload.at(-1) === 0 && rest.subarray(HEADER_BYTES + length).every((byte) => byte === 0);
    return { kind: unwritten ? 'torn' : 'damaged' };
  }
  // a header cut inside its own 12 bytes, the rest zeros; `rest` is a window of the file, so the caller looks further when it is all zeros
  return { kind: rest.subarray(HEADER_BYTES - 1).every((byte) => byte === 0) ? 'torn' : 'damaged' };
}
