// Writes conformance/gguf/: hostile files of at most a few hundred bytes and cases.json, which says how each must be refused.
// `npx tsx packages/models/scripts/make-gguf-cases.ts`
import { mkdirSync, writeFileSync } from 'node:fs';
import { concatBytes, utf8 } from '@commonweight/protocol';
import { headerBytes, metadataBytes, string, tensorBytes, u32, u64 } from '../src/testing/write-gguf.ts';

const F32 = 0;
const Q4_1 = 3;
const arch = metadataBytes({ key: 'general.architecture', type: 'string', value: 'llama' });
const zeros = (length: number): Uint8Array => new Uint8Array(length);
/** A header with these tensors, padded to 32, and `bytes` of data. */
const withData = (bytes: number, count: number, ...tensors: Uint8Array[]): Uint8Array => {
  const header = headerBytes(count, 1, arch, ...tensors);
  return concatBytes(header, zeros((32 - (header.length % 32)) % 32), zeros(bytes));
};
const flipped = (text: string): Uint8Array => {
  const bytes = utf8(text);
  bytes[1] = 0xff;
  return concatBytes(u64(bytes.length), bytes);
};

const cases: Record<string, readonly [code: string, bytes: Uint8Array]> = {
  empty: ['gguf_truncated', zeros(0)],
  three_bytes: ['gguf_truncated', utf8('GGU')],
  magic: ['gguf_magic', concatBytes(utf8('GGML'), u32(3), u64(0), u64(0))],
  version_1: ['gguf_version', concatBytes(utf8('GGUF'), u32(1), u64(0), u64(0))],
  big_endian: ['gguf_version', concatBytes(utf8('GGUF'), Uint8Array.of(0, 0, 0, 3), u64(0), u64(0))],
  ten_million_tensors: ['gguf_truncated', concatBytes(headerBytes(9_900_000, 1, arch), zeros(150 - arch.length))],
  all_ones_tensor_count: ['gguf_truncated', headerBytes(0xffffffffffffffffn, 0)],
  many_keys: ['gguf_truncated', headerBytes(0, 1_000_000)],
  key_count_over_limit: ['gguf_limit', concatBytes(headerBytes(0, 5_000), zeros(70_000))],
  counts_without_entries: ['gguf_truncated', headerBytes(0, 1)],
  key_length_absurd: ['gguf_truncated', headerBytes(0, 1, u64(0x7fffffffffffffffn), utf8('general'), u32(4), u32(1))],
  key_too_long: ['gguf_limit', headerBytes(0, 1, string('k'.repeat(257)), u32(4), u32(1))],
  string_length_absurd: ['gguf_truncated', headerBytes(0, 1, string('general.name'), u32(8), u64(2n ** 62n), utf8('abc'))],
  string_one_too_long: ['gguf_truncated', headerBytes(0, 1, string('general.name'), u32(8), u64(4), utf8('abc'))],
  string_not_utf8: ['gguf_string', headerBytes(0, 1, string('general.name'), u32(8), flipped('name'))],
  key_not_utf8: ['gguf_string', headerBytes(0, 1, flipped('general.name'), u32(4), u32(1))],
  array_count_absurd: ['gguf_truncated', headerBytes(0, 1, string('a'), u32(9), u32(4), u64(2n ** 60n), u32(1))],
  array_of_strings_absurd: ['gguf_truncated', headerBytes(0, 1, string('a'), u32(9), u32(8), u64(1_000_000), zeros(64))],
  array_of_arrays: ['gguf_value_type', headerBytes(0, 1, string('a'), u32(9), u32(9), u64(1), u32(4), u64(0))],
  value_type: ['gguf_value_type', headerBytes(0, 1, string('a'), u32(13), zeros(16))],
  bool_2: ['gguf_metadata', headerBytes(0, 1, string('abcdef'), u32(7), Uint8Array.of(2))],
  key_twice: ['gguf_duplicate', headerBytes(0, 2, arch, arch)],
  alignment_0: ['gguf_alignment', headerBytes(0, 1, metadataBytes({ key: 'general.alignment', type: 'u32', value: 0 }))],
  alignment_33: ['gguf_alignment', headerBytes(0, 1, metadataBytes({ key: 'general.alignment', type: 'u32', value: 33 }))],
  alignment_huge: ['gguf_alignment', headerBytes(0, 1, metadataBytes({ key: 'general.alignment', type: 'u32', value: 2 ** 31 }))],
  alignment_string: ['gguf_alignment', headerBytes(0, 1, metadataBytes({ key: 'general.alignment', type: 'string', value: '32' }))],
  rank_0: ['gguf_tensor_shape', withData(64, 1, tensorBytes('t', [], F32, 0))],
  rank_5: ['gguf_tensor_shape', withData(64, 1, tensorBytes('t', [1, 1, 1, 1, 1], F32, 0))],
  dimension_0: ['gguf_tensor_shape', withData(64, 1, tensorBytes('t', [0, 4], F32, 0))],
  dimensions_overflow: ['gguf_tensor_shape', withData(64, 1, tensorBytes('t', [2n ** 32n, 2n ** 32n], F32, 0))],
  dimension_absurd: ['gguf_tensor_shape', withData(64, 1, tensorBytes('t', [2n ** 63n], F32, 0))],
  not_whole_blocks: ['gguf_tensor_shape', withData(64, 1, tensorBytes('t', [33], Q4_1, 0))],
  tensor_type_iq2_xxs: ['gguf_tensor_type', withData(66, 1, tensorBytes('t', [256], 16, 0))],
  k_quant_not_whole_blocks: ['gguf_tensor_shape', withData(144, 1, tensorBytes('t', [255], 12, 0))],
  k_quant_cut_short: ['gguf_tensor_range', withData(143, 1, tensorBytes('t', [256], 12, 0))],
  tensor_type_unknown: ['gguf_tensor_type', withData(64, 1, tensorBytes('t', [256], 0xffffffff, 0))],
  tensor_name_too_long: ['gguf_limit', withData(64, 1, tensorBytes('t'.repeat(300), [8], F32, 0))],
  offset_misaligned: ['gguf_alignment', withData(64, 1, tensorBytes('t', [8], F32, 16))],
  offset_absurd: ['gguf_tensor_range', withData(64, 1, tensorBytes('t', [8], F32, 2n ** 63n))],
  data_cut_short: ['gguf_tensor_range', withData(63, 1, tensorBytes('t', [16], F32, 0))],
  data_missing: ['gguf_tensor_range', headerBytes(1, 1, arch, tensorBytes('t', [16], F32, 0))],
  tensor_beyond_end: ['gguf_tensor_range', withData(64, 2, tensorBytes('t', [8], F32, 0), tensorBytes('u', [8], F32, 64))],
  tensors_overlap: ['gguf_tensor_overlap', withData(96, 2, tensorBytes('t', [16], F32, 0), tensorBytes('u', [8], F32, 32))],
  tensors_at_one_place: ['gguf_tensor_overlap', withData(96, 2, tensorBytes('t', [8], F32, 0), tensorBytes('u', [8], F32, 0))],
  tensor_twice: ['gguf_duplicate', withData(96, 2, tensorBytes('t', [8], F32, 0), tensorBytes('t', [8], F32, 32))],
  tensor_list_cut: ['gguf_truncated', headerBytes(1, 1, arch, tensorBytes('tensor', [8], F32, 0).slice(0, 20))],
};

const folder = new URL('../../../conformance/gguf/', import.meta.url);
mkdirSync(folder, { recursive: true });
const list = Object.entries(cases).map(([name, [code, bytes]]) => {
  const file = `${name}_fail.gguf`;
  writeFileSync(new URL(file, folder), bytes);
  return { file, code };
});
writeFileSync(new URL('cases.json', folder), `${JSON.stringify(list, null, 2)}\n`);
console.log(`${list.length} cases`);
