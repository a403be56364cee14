import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Address,
  type Bundle,
  type Domain,
  Fields,
  type Hex32,
  bundleToJson,
  limits as protocolLimits,
  parseBundle,
  receiptDigest,
} from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import { isErrno, readSmallFile } from '../../platform/files.ts';
import type { ChainLink, Segment } from '../check/chain-segment.ts';
import type { ChainStore } from '../check/receipt-chain.ts';
import type { ReceiptInvalid } from '../check/receipt-invalid.ts';
import { JsonFolder, writeDurableFile } from './json-folder.ts';

/** What a gateway keeps on disk: bundles of its answers, refused answers as evidence, and how far each node's receipts go. */
export class GatewayStore {
  readonly #bundles: JsonFolder;
  readonly #refused: JsonFolder;
  readonly #chains: string;

  private constructor(bundles: JsonFolder, refused: JsonFolder, chains: string) {
    this.#bundles = bundles;
    this.#refused = refused;
    this.#chains = chains;
  }

  static async open(dataDir: string): Promise<GatewayStore> {
    const chains = join(dataDir, 'chains');
    await mkdir(chains, { recursive: true, mode: 0o700 });
    return new GatewayStore(
      await JsonFolder.open(join(dataDir, 'bundles'), limits.bundles),
      await JsonFolder.open(join(dataDir, 'refused'), limits.refusals),
      chains,
    );
  }

  putBundle(bundle: Bundle): Promise<void> {
    return this.#bundles.put(receiptDigest(bundle.receipt, bundle.domain), JSON.stringify(bundleToJson(bundle)));
  }

  /** Takes back a bundle whose receipt was refused after all. */
  removeBundle(id: Hex32): Promise<void> {
    return this.#bundles.remove(id);
  }

  /** The bundle of one answer; undefined when it is not (or no longer) here. */
  async bundle(id: Hex32): Promise<Bundle | undefined> {
    const text = await this.#bundles.get(id, protocolLimits.bundleBytes);
    return text === undefined ? undefined : parseBundle(JSON.parse(text));
  }

  /** @param at - milliseconds since 1970. */
  putRefusal(bundle: Bundle, error: ReceiptInvalid, at: number): Promise<void> {
    const { node } = bundle.request;
    const evidence = {
      refusedAt: new Date(at).toISOString(),
      node,
      check: error.check,
      message: error.message,
      bundle: bundleToJson(bundle),
    };
    return this.#refused.put(`${at}-${node}-${receiptDigest(bundle.receipt, bundle.domain).slice(2, 18)}`, JSON.stringify(evidence));
  }

  /** Receipts of one node for one payer on one chain. */
  chain(node: Address, payer: Address, domain: Domain): ChainStore {
    const name = `${domain.chainId}-${domain.verifyingContract}-${node}-${payer}.json`;
    return {
      load: async () => {
        try {
          return parseSegments(JSON.parse((await readSmallFile(join(this.#chains, name), limits.chainBytes)).toString('utf8')));
        } catch (error) {
          if (isErrno(error, 'ENOENT')) return [];
          throw error;
        }
      },
      save: (segments) =>
        writeDurableFile(
          this.#chains,
          name,
          JSON.stringify({ segments }, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
        ),
    };
  }
}

function parseSegments(value: unknown): Segment[] {
  const chain = new Fields(value, 'chain', ['segments?', 'links?']);
  // as gateways wrote it before gaps could stay open
  if (!chain.has('segments')) return [{ links: chain.array('links', limits.chainWindow).map((link, j) => parseLink(link, `links[${j}]`)) }];
  const list = chain.array('segments', limits.chainSegments);
  return list.map((item, i) => {
    const f = new Fields(item, `segments[${i}]`, ['links', 'gap?']);
    const links = f.array('links', limits.chainWindow).map((link, j) => parseLink(link, f.name(`links[${j}]`)));
    if (!f.has('gap')) return { links };
    const g = new Fields(f.raw('gap'), f.name('gap'), ['joint', 'until', 'seen']);
    const joint = new Fields(g.raw('joint'), g.name('joint'), ['sequence', 'previous', 'channel', 'paid']);
    const seen = g.array('seen', limits.chainSeen).map((one, j) => {
      const s = new Fields(one, g.name(`seen[${j}]`), ['sequence', 'digest']);
      return { sequence: sequenceOf(s), digest: s.hex32('digest') };
    });
    return {
      links,
      gap: {
        joint: {
          sequence: sequenceOf(joint),
          previous: joint.hex32('previous'),
          channel: joint.hex32('channel'),
          paid: BigInt(joint.string('paid', 79, /^-?(?:0|[1-9][0-9]*)$/)),
        },
        until: g.integer('until', 0, Number.MAX_SAFE_INTEGER),
        seen,
      },
    };
  });
}

function parseLink(value: unknown, path: string): ChainLink {
  const f = new Fields(value, path, ['sequence', 'digest', 'channel', 'cumulativeAmount']);
  return {
    sequence: sequenceOf(f),
    digest: f.hex32('digest'),
    channel: f.hex32('channel'),
    cumulativeAmount: f.uint('cumulativeAmount'),
  };
}

const sequenceOf = (fields: Fields): number => fields.integer('sequence', 0, Number.MAX_SAFE_INTEGER);
