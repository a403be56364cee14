// Writes conformance/safetensors/: hostile files and indexes of at most a few KB and cases.json, which says how each must be refused.
// `npx tsx packages/models/scripts/make-safetensors-cases.ts`
import { mkdirSync, writeFileSync } from 'node:fs';
import { concatBytes, utf8 } from '@commonweight/protocol';
import { u64 } from '../src/testing/write-gguf.ts';
import { safetensorsBytes } from '../src/testing/write-safetensors.ts';

const data = (length: number): Uint8Array => new Uint8Array(length);
const tensor = (shape: unknown, range: unknown, dtype: unknown = 'F32'): string => JSON.stringify({ dtype, shape, data_offsets: range });
/** One tensor "t" over `bytes` of data. */
const one = (entry: string, bytes = 16): Uint8Array => safetensorsBytes(`{"t":${entry}}`, data(bytes));
const good = tensor([4], [0, 16]);
const latin = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

const files: Record<string, readonly [code: string, bytes: Uint8Array]> = {
  empty: ['safetensors_truncated', data(0)],
  seven_bytes: ['safetensors_truncated', data(7)],
  length_beyond_end: ['safetensors_truncated', concatBytes(u64(100), utf8('{}'))],
  length_one_too_long: ['safetensors_truncated', concatBytes(u64(3), utf8('{}'))],
  length_all_ones: ['safetensors_truncated', concatBytes(u64(0xffffffffffffffffn), utf8('{}'))],
  length_2_to_63: ['safetensors_truncated', concatBytes(u64(2n ** 63n), utf8('{}'))],
  length_0: ['safetensors_json', u64(0)],
  pickle: ['safetensors_truncated', concatBytes(latin('\x80\x04\x95\x10\x00\x00\x00\x00'), data(64))],
  gguf: ['safetensors_truncated', concatBytes(utf8('GGUF'), Uint8Array.of(3, 0, 0, 0), data(64))],
  not_utf8: ['safetensors_json', safetensorsBytes(latin('{"\xff":1}'))],
  half_surrogate: ['safetensors_json', safetensorsBytes('{"\\ud800":1}')],
  bad_escape: ['safetensors_json', safetensorsBytes('{"\\x41":1}')],
  control_character: ['safetensors_json', safetensorsBytes('{"a\u0001":1}')],
  string_without_end: ['safetensors_json', safetensorsBytes('{"a')],
  escape_without_end: ['safetensors_json', safetensorsBytes('{"a\\')],
  no_colon: ['safetensors_json', safetensorsBytes('{"a" 1}')],
  comma_at_end: ['safetensors_json', safetensorsBytes('{"a":1,}')],
  trailing_text: ['safetensors_json', safetensorsBytes('{} x')],
  nul_padding: ['safetensors_json', safetensorsBytes('{}\0\0\0\0')],
  byte_order_mark: ['safetensors_json', safetensorsBytes('\ufeff{}')],
  bare_word: ['safetensors_json', safetensorsBytes('{"a":nul}')],
  nan: ['safetensors_json', safetensorsBytes('{"a":NaN}')],
  infinite_number: ['safetensors_json', safetensorsBytes('{"a":1e999}')],
  leading_zero: ['safetensors_json', safetensorsBytes('{"a":01}')],
  deep_arrays: ['safetensors_limit', safetensorsBytes(`{"a":${'['.repeat(4_000)}`)],
  deep_objects: ['safetensors_limit', safetensorsBytes('{"a":'.repeat(1_000))],
  header_array: ['safetensors_header', safetensorsBytes('[]')],
  header_text: ['safetensors_header', safetensorsBytes('"t"')],
  tensor_twice: ['safetensors_duplicate', safetensorsBytes(`{"t":${good},"t":${good}}`, data(16))],
  tensor_twice_escaped: ['safetensors_duplicate', safetensorsBytes(`{"t":${good},"\\u0074":${good}}`, data(16))],
  dtype_twice: ['safetensors_duplicate', one('{"dtype":"F32","dtype":"F16","shape":[4],"data_offsets":[0,16]}')],
  metadata_number: ['safetensors_header', safetensorsBytes('{"__metadata__":{"a":1}}')],
  metadata_text: ['safetensors_header', safetensorsBytes('{"__metadata__":"pt"}')],
  entry_number: ['safetensors_header', one('7')],
  entry_null: ['safetensors_header', one('null')],
  entry_empty: ['safetensors_header', one('{}')],
  entry_without_shape: ['safetensors_header', one('{"dtype":"F32","data_offsets":[0,16]}')],
  entry_with_more: ['safetensors_header', one('{"dtype":"F32","shape":[4],"data_offsets":[0,16],"x":1}')],
  name_empty: ['safetensors_limit', safetensorsBytes(`{"":${good}}`, data(16))],
  name_too_long: ['safetensors_limit', safetensorsBytes(`{"${'t'.repeat(257)}":${good}}`, data(16))],
  dtype_i64: ['safetensors_dtype', one(tensor([2], [0, 16], 'I64'))],
  dtype_f8: ['safetensors_dtype', one(tensor([16], [0, 16], 'F8_E4M3'))],
  dtype_prototype: ['safetensors_dtype', one(tensor([4], [0, 16], 'constructor'))],
  dtype_number: ['safetensors_header', one(tensor([4], [0, 16], 32))],
  shape_empty: ['safetensors_shape', one(tensor([], [0, 4]), 4)],
  shape_rank_5: ['safetensors_shape', one(tensor([1, 1, 1, 1, 4], [0, 16]))],
  shape_0: ['safetensors_shape', one(tensor([0, 4], [0, 0]), 0)],
  shape_negative: ['safetensors_header', one(tensor([-4], [0, 16]))],
  shape_fraction: ['safetensors_header', one(tensor([0.5], [0, 2]), 2)],
  shape_text: ['safetensors_header', one(tensor('4', [0, 16]))],
  shape_texts: ['safetensors_header', one(tensor(['4'], [0, 16]))],
  shape_absurd: ['safetensors_shape', one(tensor([2 ** 52], [0, 16]))],
  shape_overflow: ['safetensors_shape', one(tensor([2 ** 32, 2 ** 32], [0, 16]))],
  shape_beyond_integers: ['safetensors_header', one('{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,16]}')],
  shape_wrong: ['safetensors_range', one(tensor([5], [0, 16]))],
  offsets_three: ['safetensors_header', one(tensor([4], [0, 16, 16]))],
  offsets_one: ['safetensors_header', one(tensor([4], [16]))],
  offsets_reversed: ['safetensors_range', one(tensor([4], [16, 0]))],
  offsets_negative: ['safetensors_header', one(tensor([4], [-16, 0]))],
  offsets_beyond_end: ['safetensors_range', one(tensor([4], [16, 32]))],
  offsets_absurd: ['safetensors_range', one(tensor([4], [2 ** 52, 2 ** 52 + 16]))],
  data_cut_short: ['safetensors_range', one(good, 15)],
  data_missing: ['safetensors_range', one(good, 0)],
  data_left_over: ['safetensors_range', one(good, 17)],
  data_without_tensors: ['safetensors_range', safetensorsBytes('{}', data(16))],
  gap_before: ['safetensors_overlap', one(tensor([4], [4, 20]), 20)],
  gap_between: ['safetensors_overlap', safetensorsBytes(`{"t":${good},"u":${tensor([4], [20, 36])}}`, data(36))],
  overlap: ['safetensors_overlap', safetensorsBytes(`{"t":${good},"u":${tensor([4], [12, 28])}}`, data(28))],
  same_place: ['safetensors_overlap', safetensorsBytes(`{"t":${good},"u":${good}}`, data(16))],
};

const index = (map: unknown): Uint8Array => utf8(JSON.stringify({ metadata: {}, weight_map: map }));
const indexes: Record<string, readonly [code: string, bytes: Uint8Array]> = {
  index_empty: ['safetensors_json', utf8('')],
  index_cut: ['safetensors_json', utf8('{"weight_map":{"t":')],
  index_without_map: ['safetensors_index', utf8('{}')],
  index_map_empty: ['safetensors_index', index({})],
  index_map_array: ['safetensors_index', index(['a.safetensors'])],
  index_file_number: ['safetensors_index', index({ t: 1 })],
  index_parent_folder: ['safetensors_index', index({ t: '../model.safetensors' })],
  index_absolute: ['safetensors_index', index({ t: '/etc/model.safetensors' })],
  index_sub_folder: ['safetensors_index', index({ t: 'a/model.safetensors' })],
  index_backslash: ['safetensors_index', index({ t: '..\\model.safetensors' })],
  index_nul: ['safetensors_index', index({ t: '/etc/passwd\0.safetensors' })],
  index_new_line: ['safetensors_index', index({ t: 'model.safetensors\n' })],
  index_hidden: ['safetensors_index', index({ t: '.safetensors' })],
  index_url: ['safetensors_index', index({ t: 'file:///model.safetensors' })],
  index_other_extension: ['safetensors_index', index({ t: 'pytorch_model.bin' })],
  index_tensor_twice: ['safetensors_duplicate', utf8('{"weight_map":{"t":"a.safetensors","t":"b.safetensors"}}')],
  index_too_many_files: [
    'safetensors_limit',
    index(Object.fromEntries(Array.from({ length: 513 }, (_, i) => [`t${i}`, `${i}.safetensors`]))),
  ],
};

const folder = new URL('../../../conformance/safetensors/', import.meta.url);
mkdirSync(folder, { recursive: true });
const list = [
  ...Object.entries(files).map(([name, value]) => [`${name}_fail.safetensors`, ...value] as const),
  ...Object.entries(indexes).map(([name, value]) => [`${name}_fail.json`, ...value] as const),
].map(([file, code, bytes]) => {
  writeFileSync(new URL(file, folder), bytes);
  return { file, code };
});
writeFileSync(new URL('cases.json', folder), `${JSON.stringify(list, null, 2)}\n`);
console.log(`${list.length} cases`);
