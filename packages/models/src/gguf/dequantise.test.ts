import { expect, it } from 'vitest';
import { dequantiserOf } from './dequantise.ts';

const decode = (type: Parameters<typeof dequantiserOf>[0], bytes: readonly number[], count: number): number[] => {
  const out = new Float64Array(count);
  dequantiserOf(type)(Uint8Array.from([0, ...bytes]), 1, out, count);
  return [...out];
};
const ramp = (length: number, f: (i: number) => number): number[] => Array.from({ length }, (_, i) => f(i));

it('F32', () => expect(decode('F32', [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1], 2)).toEqual([1, -10]));

it('F16: normal, subnormal, negative, largest, zero, infinity, NaN', () => {
  const bytes = [0x00, 0x3c, 0x01, 0x00, 0x00, 0xc1, 0xff, 0x7b, 0x00, 0x80, 0x00, 0x7c, 0x01, 0x7c];
  expect(decode('F16', bytes, 7)).toEqual([1, 2 ** -24, -2.5, 65504, -0, Infinity, NaN]);
});

it('BF16', () => expect(decode('BF16', [0x80, 0x3f, 0x20, 0xc1], 2)).toEqual([1, -10]));

it('Q8_0: scale times int8', () => {
  const quants = ramp(32, (i) => i * 8 - 128);
  expect(decode('Q8_0', [0x00, 0x34, ...quants.map((q) => q & 255)], 32)).toEqual(quants.map((q) => q / 4));
});

it('Q4_0: low nibbles first, then high ones, minus 8', () => {
  const bytes = [0x00, 0x38, ...ramp(16, (i) => i | ((15 - i) << 4))];
  expect(decode('Q4_0', bytes, 32)).toEqual([...ramp(16, (i) => (i - 8) / 2), ...ramp(16, (i) => (7 - i) / 2)]);
});

it('Q4_1: scale times nibble plus minimum, exact in float64', () => {
  const bytes = [0x00, 0x38, 0x01, 0x00, ...ramp(16, (i) => i | ((15 - i) << 4))];
  const tiny = 2 ** -24;
  expect(decode('Q4_1', bytes, 32)).toEqual([...ramp(16, (i) => i / 2 + tiny), ...ramp(16, (i) => (15 - i) / 2 + tiny)]);
});
