import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileErrors } from '../file-errors.ts';
import { type ByteSource, fileSource } from '../gguf/byte-source.ts';
import { limits } from '../limits.ts';
import { type Json, parseBoundedJson } from './bounded-json.ts';
import { parseSafetensors, type SafetensorsTensor } from './parse-safetensors.ts';
import { quote, SafetensorsError } from './safetensors-error.ts';
import type { SmallFile } from './read-small-file.ts';
import { readSmallFile } from './read-small-file.ts';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

export interface ShardTensor extends SafetensorsTensor {
  readonly source: ByteSource;
}

export interface Shards {
  readonly tensors: ReadonlyMap<string, ShardTensor>;
  readonly files: readonly { readonly name: string; readonly handle: FileHandle; readonly size: number }[];
  readonly index: SmallFile | undefined;
  readonly close: () => Promise<void>;
}

/** Tensor names by the shard that must hold them. A shard's name is a plain file name: nothing outside of the folder can be named. */
export function parseIndex(bytes: Uint8Array): Map<string, Set<string>> {
  const index = parseBoundedJson(bytes, INDEX);
  const map = index instanceof Map ? (index as ReadonlyMap<string, Json>).get('weight_map') : undefined;
  if (!(map instanceof Map) || map.size === 0) {
    throw new SafetensorsError('safetensors_index', `${INDEX} weight_map`, undefined, 'file names by tensor name', 'nothing of the kind');
  }
  const shards = new Map<string, Set<string>>();
  for (const [tensor, file] of map as ReadonlyMap<string, Json>) {
    if (typeof file !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.safetensors$/.test(file)) {
      const got = typeof file === 'string' ? quote(file) : 'no text';
      throw new SafetensorsError('safetensors_index', `${INDEX} ${quote(tensor)}`, undefined, 'the plain name of a .safetensors file', got);
    }
    const names = shards.get(file) ?? new Set();
    shards.set(file, names.add(tensor));
  }
  if (shards.size > limits.safetensorsShards) {
    throw new SafetensorsError(
      'safetensors_limit',
      `${INDEX} weight_map`,
      undefined,
      `at most ${limits.safetensorsShards} files`,
      String(shards.size),
    );
  }
  return shards;
}

/** Opens model.safetensors, or else every shard of the index, and reads their headers. Each shard holds exactly what the index says. */
export async function openShards(folder: string): Promise<Shards> {
  const isSingle = await stat(join(folder, SINGLE)).then(
    () => true,
    () => false,
  );
  const index = isSingle ? undefined : await readSmallFile(join(folder, INDEX), limits.configBytes);
  if (!isSingle && !index) {
    throw new SafetensorsError('safetensors_index', folder, undefined, `${SINGLE} or ${INDEX} in this folder`, 'neither');
  }
  const wanted: ReadonlyMap<string, Set<string> | undefined> = index ? parseIndex(index.bytes) : new Map([[SINGLE, undefined]]);
  const files: { name: string; handle: FileHandle; size: number }[] = [];
  const close = async (): Promise<void> => {
    for (const { handle } of files.splice(0)) await handle.close();
  };
  try {
    const tensors = new Map<string, ShardTensor>();
    for (const [name, names] of wanted) {
      const file = await openShard(folder, name);
      files.push(file);
      const source = fileSource(file.handle.fd, file.size);
      const found = parseSafetensors(source, name);
      if (names) compareNames(name, names, found);
      for (const tensor of found.values()) tensors.set(tensor.name, { ...tensor, source });
    }
    return { tensors, files: [...files], index, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openShard(folder: string, name: string): Promise<{ name: string; handle: FileHandle; size: number }> {
  const path = join(folder, name);
  return await withFileErrors(`opening ${path}`, async () => {
    const found = await stat(path);
    if (!found.isFile()) throw new SafetensorsError('safetensors_index', name, undefined, 'a file', 'something else');
    return { name, handle: await open(path, 'r'), size: found.size };
  });
}

/** As each name of the index belongs to one shard, equality also means that no tensor is in two. */
function compareNames(file: string, wanted: ReadonlySet<string>, found: ReadonlyMap<string, unknown>): void {
  for (const name of wanted) {
    if (!found.has(name))
      throw new SafetensorsError(
        'safetensors_index',
        `${file} tensor ${quote(name)}`,
        undefined,
        `this tensor, as ${INDEX} says`,
        'nothing',
      );
  }
  for (const name of found.keys()) {
    if (!wanted.has(name))
      throw new SafetensorsError(
        'safetensors_index',
        `${file} tensor ${quote(name)}`,
        undefined,
        `only tensors that ${INDEX} places here`,
        'another one',
      );
  }
}
