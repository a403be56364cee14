import { copyFile, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, canonicalize, packageFiles, parseManifest } from '@commonweight/protocol';

/** Inputs that stay at 14 bits in the 8-bit profile: down-projection and head. */
const WIDE = /(?:^output|^token_embd|ffn_down)$/u;

/** The same package with 8-bit activations (weights.bin is a hard link): as fast as a converted model of that profile, of other numbers. */
export async function writeInt8Variant(from: string, to: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(from, 'manifest.json'), 'utf8')) as Manifest;
  const tensors = manifest.tensors.map((tensor) =>
    tensor.kind === 'matrix' && !WIDE.test(tensor.name) ? { ...tensor, activationBits: 8 } : tensor,
  );
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  await link(join(from, packageFiles.weights), join(to, packageFiles.weights));
  for (const name of [packageFiles.tokenizer, packageFiles.chatTemplate, 'card.json']) await copyFile(join(from, name), join(to, name));
  await writeFile(join(to, 'manifest.json'), canonicalize(parseManifest({ ...manifest, tensors })));
}
