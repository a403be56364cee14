import { type Address, DecodeError, type Hex32, type ModelId, ZERO_ADDRESS, ZERO_HEX32, utf8 } from '@commonweight/protocol';
import { type modelLinesAbi } from './abis.gen.ts';
import { type ContractCaller } from './contract-caller.ts';
import { ChainError } from './errors.ts';
import { lower } from './lower.ts';
import { readPages } from './pages.ts';
import { type Submitter } from './submitter.ts';
import { encodeAbiParameters, hexToString, keccak256, stringToHex } from './viem.ts';

/** A line of versions, as its owner keeps it. Its name and its tags identify nothing. */
export interface ModelLine {
  readonly line: Hex32;
  readonly owner: Address;
  readonly pendingOwner: Address | undefined;
  readonly name: string;
  readonly versionCount: number;
  /** At most 32; where a tag stood before is in the events. */
  readonly tags: Readonly<Record<string, ModelId>>;
}

export interface ModelLinesClient {
  /** Opens a line of this key's, unless it has one of that name. @param name 1 to 64 bytes @returns its id, and whether there was a transaction */
  openLine(name: string): Promise<{ readonly line: Hex32; readonly opened: boolean }>;
  /** Makes a model of this key's the newest version; nothing when it is a version already. @returns whether there was a transaction */
  appendVersion(line: Hex32, modelId: ModelId): Promise<boolean>;
  /** Points a tag (at most 31 bytes) at a version; without a model it is removed. @returns whether there was a transaction */
  tagModel(line: Hex32, tag: string, modelId: ModelId | undefined): Promise<boolean>;
  lineInfo(line: Hex32): Promise<ModelLine | undefined>;
  listLines(): Promise<ModelLine[]>;
  /** Versions of a line, oldest first. */
  modelVersions(line: Hex32): Promise<ModelId[]>;
  offerLine(line: Hex32, to: Address | undefined): Promise<void>;
  acceptLine(line: Hex32): Promise<void>;
}

type Caller = ContractCaller<typeof modelLinesAbi>;
const readPage = (lines: Caller, offset: bigint, limit: bigint) => lines.read('linesPage', [offset, limit]);
type LineView = Awaited<ReturnType<typeof readPage>>[number];

/** Id of the line that `founder` opens under `name`. */
export const lineId = (founder: Address, name: string): Hex32 =>
  keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'string' }], [founder, name]));

const TAG_BYTES = 31;

/** As a Solidity short string. */
function tagWord(tag: string): Hex32 {
  const { length } = utf8(tag);
  if (length === 0 || length > TAG_BYTES) throw new DecodeError('tag', `a name of 1 to ${TAG_BYTES} bytes`, tag);
  return stringToHex(tag, { size: 32 });
}

// another program may have written bytes that are no text: shown as they are
const tagText = (word: Hex32): string => hexToString(word, { size: 32 });

const toLine = ({ line, owner, pendingOwner, name, versionCount, tags }: LineView): ModelLine => ({
  line,
  owner: lower(owner),
  pendingOwner: lower(pendingOwner) === ZERO_ADDRESS ? undefined : lower(pendingOwner),
  name,
  versionCount: Number(versionCount),
  tags: Object.fromEntries(tags.map((tag) => [tagText(tag.name), tag.modelId])),
});

export function modelLinesClient(lines: Caller, submitter: Submitter | undefined): ModelLinesClient {
  const known = async (line: Hex32): Promise<ModelLine | undefined> => {
    try {
      return toLine(await lines.read('lineInfo', [line]));
    } catch (error) {
      if (error instanceof ChainError && error.details['reason'] === 'UnknownLine') return undefined;
      throw error;
    }
  };
  const versions = (line: Hex32): Promise<ModelId[]> =>
    readPages(
      (offset, limit) => lines.read('versionsPage', [line, offset, limit]),
      (modelId) => modelId,
    );
  return {
    lineInfo: known,
    modelVersions: versions,
    listLines: async () =>
      (
        await readPages(
          (offset, limit) => readPage(lines, offset, limit),
          (entry) => entry.line,
        )
      ).map(toLine),
    openLine: async (name) => {
      if (!submitter) throw new ChainError('chain_read_only', 'opening a line needs the private key of its owner');
      const line = lineId(submitter.account.address, name);
      if (await known(line)) return { line, opened: false };
      await lines.write('open', [name]);
      return { line, opened: true };
    },
    appendVersion: async (line, modelId) => {
      try {
        await lines.write('append', [line, modelId]);
        return true;
      } catch (error) {
        if (error instanceof ChainError && error.details['reason'] === 'AlreadyVersion') return false;
        throw error;
      }
    },
    tagModel: async (line, tag, modelId = ZERO_HEX32) => {
      const word = tagWord(tag);
      if ((await lines.read('modelOf', [line, word])) === modelId) return false;
      await lines.write('tag', [line, word, modelId]);
      return true;
    },
    offerLine: async (line, to) => void (await lines.write('offerOwnership', [line, to ?? ZERO_ADDRESS])),
    acceptLine: async (line) => void (await lines.write('acceptOwnership', [line])),
  };
}
