import { describe, expect, it } from 'vitest';
import { HEADER_BYTES, encodeRecord, readRecord } from './record.ts';

const payload = Buffer.from(JSON.stringify({ text: 'a record' }));
const record = encodeRecord(payload);
const next = encodeRecord(Buffer.from('{"next":1}'));

describe('journal records', () => {
  it('reads what it wrote', () => {
    const read = readRecord(Buffer.concat([record, next]), 0);
    expect(read).toEqual({ kind: 'record', payload, end: record.length });
    expect(readRecord(record, record.length)).toEqual({ kind: 'end' });
  });

  it('takes every proper prefix for a cut write, with and without zeros behind it', () => {
    for (let length = 1; length < record.length; length++) {
      expect(readRecord(record.subarray(0, length), 0).kind, `${length} bytes`).toBe('torn');
      const zeros = Buffer.alloc(record.length);
      record.copy(zeros, 0, 0, length);
      // a cut after the header's last byte that differs from zero, and before the payload's last byte, shows as zeros at the end
      expect(readRecord(zeros, 0).kind, `${length} bytes, then zeros`).toBe('torn');
    }
    expect(readRecord(Buffer.alloc(4096), 0).kind).toBe('torn');
  });

  it('takes any single flipped bit of a whole record for damage', () => {
    for (let bit = 0; bit < 8 * record.length; bit++) {
      const flipped = Buffer.concat([record, next]);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(readRecord(flipped, 0).kind, `bit ${bit}`).toBe('damaged');
    }
  });

  it('refuses payloads that are empty or too long', () => {
    expect(() => encodeRecord(Buffer.alloc(0))).toThrow(/1 to 65536 bytes/);
    expect(() => encodeRecord(Buffer.alloc(65_537, 32))).toThrow(/got 65537/);
    expect(HEADER_BYTES).toBe(12);
  });
});
