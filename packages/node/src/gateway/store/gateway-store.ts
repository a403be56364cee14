import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Address,
  type Bundle,
  type Domain,
  Fields,
  type Hex32,
  type PartialBundle,
  type SignedCheckpoint,
  bundleToJson,
  limits as protocolLimits,
  parseBundle,
  parsePartialBundle,
  receiptDigest,
} from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import { isErrno, readSmallFile } from '../../platform/files.ts';
import type { ChainLink, Segment } from '../check/chain-segment.ts';
import type { ChainStore } from '../check/receipt-chain.ts';
import type { ReceiptInvalid } from '../check/receipt-invalid.ts';
import { JsonFolder, writeDurableFile } from './json-folder.ts';

/** What became of a request, as far as it is known. */
export type KeptRequest = { readonly bundle: Bundle } | { readonly partial: PartialBundle };

/** What a gateway keeps on disk: bundles of its answers, what is provable of those that broke off, refused answers as evidence, and how far each node's receipts go. */
export class GatewayStore {
  readonly #bundles: JsonFolder;
  readonly #refused: JsonFolder;
  /** By request hash: partial bundles, and requests that another one replaced. */
  readonly #requests: JsonFolder;
  readonly #chains: string;

  private constructor(bundles: JsonFolder, refused: JsonFolder, requests: JsonFolder, chains: string) {
    this.#bundles = bundles;
    this.#requests = requests;
    this.#refused = refused;
    this.#chains = chains;
  }

  static async open(dataDir: string): Promise<GatewayStore> {
    const chains = join(dataDir, 'chains');
    await mkdir(chains, { recursive: true, mode: 0o700 });
    return new GatewayStore(
      await JsonFolder.open(join(dataDir, 'bundles'), limits.bundles),
      await JsonFolder.open(join(dataDir, 'refused'), limits.refusals),
      await JsonFolder.open(join(dataDir, 'requests'), limits.partials),
      chains,
    );
  }

  /** Under both names by which it is asked for: receipt id and request hash. */
  putBundle(bundle: Bundle): Promise<void> {
    const { receipt, domain } = bundle;
    return this.#bundles.put(`${receiptDigest(receipt, domain)}-${receipt.requestHash}`, JSON.stringify(bundleToJson(bundle)));
  }

  /** Takes back a bundle whose receipt was refused after all. */
  async removeBundle(id: Hex32): Promise<void> {
    const name = this.#bundleName(id);
    if (name !== undefined) await this.#bundles.remove(name);
  }

  /** The bundle of one answer; undefined when it is not (or no longer) here. */
  async bundle(id: Hex32): Promise<Bundle | undefined> {
    return this.#readBundle(this.#bundleName(id));
  }

  putPartial(partial: PartialBundle): Promise<void> {
    return this.#requests.put(partial.checkpoint.requestHash, JSON.stringify({ partial }));
  }

  /** A request that was given up for another one: whoever asks for it gets that one. */
  putReplaced(request: Hex32, replacedBy: Hex32): Promise<void> {
    return this.#requests.put(request, JSON.stringify({ replacedBy }));
  }

  /** What became of a request; undefined when nothing of it is (or no longer) here. */
  async request(hash: Hex32): Promise<KeptRequest | undefined> {
    const found = await this.#readRequest(hash);
    return found && 'replacedBy' in found ? this.#known(await this.#readRequest(found.replacedBy)) : this.#known(found);
  }

  #known(found: KeptRequest | { readonly replacedBy: Hex32 } | undefined): KeptRequest | undefined {
    return found && !('replacedBy' in found) ? found : undefined;
  }

  async #readRequest(hash: Hex32): Promise<KeptRequest | { readonly replacedBy: Hex32 } | undefined> {
    const bundle = await this.#readBundle(this.#bundles.find((name) => name.endsWith(`-${hash}`)));
    if (bundle) return { bundle };
    const text = await this.#requests.get(hash, protocolLimits.bundleBytes);
    if (text === undefined) return undefined;
    const f = new Fields(JSON.parse(text), 'request', ['partial?', 'replacedBy?']);
    return f.has('partial') ? { partial: parsePartialBundle(f.raw('partial'), 'partial') } : { replacedBy: f.hex32('replacedBy') };
  }

  /** Earlier gateways named a file by the receipt alone. */
  #bundleName(id: Hex32): string | undefined {
    return this.#bundles.find((name) => name.startsWith(id));
  }

  async #readBundle(name: string | undefined): Promise<Bundle | undefined> {
    const text = name === undefined ? undefined : await this.#bundles.get(name, protocolLimits.bundleBytes);
    return text === undefined ? undefined : parseBundle(JSON.parse(text));
  }

  /**
   * @param signed - what the node signed: a receipt's bundle, or a refused checkpoint beside the ids that came.
   * @param at - milliseconds since 1970.
   * @param checkpoint - the last one that the node signed of an answer with a receipt: the two may contradict each other.
   */
  putRefusal(signed: Bundle | PartialBundle, error: ReceiptInvalid, at: number, checkpoint?: SignedCheckpoint): Promise<void> {
    const { node } = signed.request;
    const evidence = {
      refusedAt: new Date(at).toISOString(),
      node,
      check: error.check,
      message: error.message,
      ...('receipt' in signed ? { bundle: bundleToJson(signed) } : { partial: signed }),
      ...(checkpoint && { checkpoint }),
    };
    const id = 'receipt' in signed ? receiptDigest(signed.receipt, signed.domain) : signed.checkpoint.requestHash;
    return this.#refused.put(`${at}-${node}-${id.slice(2, 18)}`, JSON.stringify(evidence));
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
