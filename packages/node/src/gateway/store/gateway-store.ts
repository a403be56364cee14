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
import type { ChainLink, ChainStore } from '../check/receipt-chain.ts';
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
          return parseLinks(JSON.parse((await readSmallFile(join(this.#chains, name), limits.chainBytes)).toString('utf8')));
        } catch (error) {
          if (isErrno(error, 'ENOENT')) return [];
          throw error;
        }
      },
      save: (links) =>
        writeDurableFile(
          this.#chains,
          name,
          JSON.stringify({ links: links.map((link) => ({ ...link, cumulativeAmount: String(link.cumulativeAmount) })) }),
        ),
    };
  }
}

function parseLinks(value: unknown): ChainLink[] {
  const list = new Fields(value, 'chain', ['links']).array('links', limits.chainWindow);
  return list.map((item, i) => {
    const f = new Fields(item, `links[${i}]`, ['sequence', 'digest', 'channel', 'cumulativeAmount']);
    return {
      sequence: f.integer('sequence', 0, Number.MAX_SAFE_INTEGER),
      digest: f.hex32('digest'),
      channel: f.hex32('channel'),
      cumulativeAmount: f.uint('cumulativeAmount'),
    };
  });
}
