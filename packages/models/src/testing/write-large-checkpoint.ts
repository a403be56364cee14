import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { tinyCheckpoint, writeCheckpoint } from './tiny-checkpoint.ts';

/**
 * A sound checkpoint folder with about `megabytes` MB of F32 weights in one file, written a MB at a time: for measuring what an import needs.
 * Returns the bytes of the weights.
 */
export async function writeLargeCheckpoint(folder: string, megabytes: number): Promise<number> {
  const width = 1024;
  const ffnWidth = 4096;
  const layers = Math.max(1, Math.round(megabytes / 67));
  const { json, tensors } = tinyCheckpoint({ layers: 1 });
  const config = { ...json['config.json'], hidden_size: width, intermediate_size: ffnWidth, num_hidden_layers: layers };
  await writeCheckpoint(folder, {
    tensors,
    json: { ...json, 'config.json': { ...config, num_attention_heads: 16, num_key_value_heads: 16 } },
  });

  const shapes: [string, readonly number[]][] = [
    ['model.embed_tokens.weight', [json['config.json']['vocab_size'] as number, width]],
    ['model.norm.weight', [width]],
  ];
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}.`;
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) shapes.push([`${at}${norm}.weight`, [width]]);
    for (const part of ['q', 'k', 'v', 'o']) shapes.push([`${at}self_attn.${part}_proj.weight`, [width, width]]);
    for (const part of ['gate', 'up']) shapes.push([`${at}mlp.${part}_proj.weight`, [ffnWidth, width]]);
    shapes.push([`${at}mlp.down_proj.weight`, [width, ffnWidth]]);
  }
  let end = 0;
  const entries = shapes.map(([name, shape]) => {
    const start = end;
    end += 4 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));

  const block = Buffer.from(Float32Array.from({ length: 1 << 18 }, (_, i) => (((i * 7919) % 1013) - 506) / 4096).buffer);
  const file = await open(join(folder, 'model.safetensors'), 'w');
  try {
    await file.writeFile(Buffer.concat([length, header]));
    for (let done = 0; done < end; done += block.length) await file.writeFile(block.subarray(0, Math.min(block.length, end - done)));
  } finally {
    await file.close();
  }
  return end;
}
