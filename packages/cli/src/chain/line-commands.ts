import { type Chain, type ModelLine, lineId } from '@commonweight/chain';
import { type Hex32, isHex32 } from '@commonweight/protocol';
import { UsageError } from '../fault.ts';
import { type ModelContext, parseModelId } from './model-client.ts';
import { parseAddress } from './parse-address.ts';

/** A line's id as it stands, or the line that this key opened under a name. */
const lineOf = (chain: Chain, line: string): Hex32 => {
  if (isHex32(line)) return line;
  if (chain.account === undefined)
    throw new UsageError(`expected the id of a line (0x and 64 hexadecimal digits), got ${line}; a name needs its owner's key.`);
  return lineId(chain.account, line);
};

/** Makes a model the newest version of a line, and moves a tag to it; opens the line when it is a new name of this key's. */
export async function tag({ signer, done }: ModelContext, line: string, name: string, model: string | undefined): Promise<void> {
  const chain = await signer();
  const id = lineOf(chain, line);
  const modelId = model === undefined ? undefined : parseModelId(model);
  if (modelId !== undefined) {
    if (!isHex32(line)) await chain.openLine(line);
    await chain.appendVersion(id, modelId);
  }
  const changed = await chain.tagModel(id, name, modelId);
  const sentence = modelId === undefined ? `${name} of line ${line} is removed` : `${name} of line ${line} names ${modelId}`;
  done('tagged', changed, sentence, { line: id, tag: name, model: modelId ?? null });
}

/** One line with its versions, or all lines. */
export async function versions({ reader, output }: ModelContext, line: string | undefined, owner: string | undefined): Promise<void> {
  const chain = await reader();
  if (line === undefined) {
    const lines = await chain.listLines();
    for (const one of lines) printLine(one);
    if (lines.length === 0) output.note('no lines of versions yet: commonweight model tag opens one');
    return;
  }
  const id = owner === undefined ? lineOf(chain, line) : lineId(parseAddress(owner), line);
  const found = await chain.lineInfo(id);
  if (found === undefined) throw new UsageError(`no line ${line} on this chain: commonweight model versions lists all of them.`);
  printLine(found);
  for (const [place, modelId] of (await chain.modelVersions(id)).entries()) {
    const tags = Object.keys(found.tags).filter((name) => found.tags[name] === modelId);
    output.event('version', { line: id, place, model: modelId, tags });
    output.print(`  ${place}  ${modelId}  ${tags.join(' ')}`.trimEnd());
  }

  function printLine({ versionCount, ...one }: ModelLine): void {
    output.event('line', { ...one, pendingOwner: one.pendingOwner ?? null, versions: versionCount });
    output.print(`${one.name}  ${one.line}  ${versionCount} versions, owner ${one.owner}`);
  }
}
