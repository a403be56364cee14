import { Fields, limits as protocolLimits } from '@commonweight/protocol';

/** Version of the rules by which a GGUF file becomes a package. */
export const CONVERTER = 'commonweight-gguf/1';
/** Version of the rules by which a folder with safetensors becomes a package. */
export const SAFETENSORS_CONVERTER = 'commonweight-safetensors/1';

/** A free text as a card's name. */
export const cardName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-|-$/g, '') || 'model';

/** What a package says about itself, apart from its identity: changing it changes no model id. */
export interface Card {
  readonly name: string;
  readonly source: { readonly uri: string; readonly sha256: string; readonly bytes: number };
  readonly converter: string;
  readonly licence: string;
  /** Model ids of the models that this one was made from. */
  readonly parents: readonly string[];
}

export function parseCard(value: unknown): Card {
  const f = new Fields(value, 'card', ['name', 'source', 'converter', 'licence', 'parents']);
  const source = new Fields(f.raw('source'), 'card.source', ['uri', 'sha256', 'bytes']);
  return {
    name: f.string('name', 64, /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/),
    source: {
      uri: source.string('uri', 2_048),
      sha256: source.string('sha256', 64, /^[0-9a-f]{64}$/),
      bytes: source.integer('bytes', 0, protocolLimits.modelFileBytes),
    },
    converter: f.string('converter', 64),
    licence: f.string('licence', 128),
    parents: f.array('parents', 16).map((_, i, all) => new Fields({ parent: all[i] }, `card.parents[${i}]`, ['parent']).hex32('parent')),
  };
}
