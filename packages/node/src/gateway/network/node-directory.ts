import type { ModelPrice } from '@commonweight/chain';
import { type Address, CommonweightError, type ModelId } from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { parseEndpoint } from './address-rule.ts';
import { type PriceCaps, type PriceRefusal, priceRefusals } from './price-rule.ts';

/** A node as its registry entry says. */
export interface RegisteredNode {
  readonly node: Address;
  readonly sessionKey: Address;
  readonly endpoint: string;
  readonly models: readonly ModelId[];
  /** What it may ask for each of them. */
  readonly prices: readonly ModelPrice[];
  /** Wei. */
  readonly bond: bigint;
}

export interface NodeQueue {
  readonly running: number;
  readonly waiting: number;
  /** Runs side by side, and how many may wait behind them. */
  readonly slots: number;
  readonly limit: number;
}

/** Per million tokens in the asset's smallest unit, as the node says; the receipt is what counts. */
export interface NodePrices {
  readonly prompt: string;
  readonly completion: string;
  readonly asset: Address;
}

/** What runs a model there: `wasm`, `native-vnni` ... */
export interface NodeEngine {
  readonly model: ModelId;
  readonly backend: string;
}

export type NodeHealth =
  | { readonly status: 'ok'; readonly queue?: NodeQueue; readonly engines?: readonly NodeEngine[] }
  /** Not asked yet, not reachable, or its endpoint may not be dialled. */
  | { readonly status: 'down'; readonly reason: string };

/** A node as this gateway knows it. */
export interface KnownNode extends RegisteredNode {
  /** Absent when the endpoint may not be dialled. */
  readonly url: URL | undefined;
  readonly health: NodeHealth;
  /** What the node itself says that it asks; null when it does not say. */
  readonly asked: NodePrices | null;
  /** Models that it is not asked for because of their price. */
  readonly priceRefusals: ReadonlyMap<ModelId, PriceRefusal>;
  /** Runs of this gateway in progress there. */
  readonly outstanding: number;
  /** Answers that were refused since the gateway started. */
  readonly refusals: number;
  /** Not asked before then, unless it is named. Milliseconds. */
  readonly avoidUntil: number;
  /** Asked last before then. Milliseconds. */
  readonly failedUntil: number;
  /** Rises with every run; a tie goes to the node that was used the longest time ago. */
  readonly lastUsed: number;
}

interface Entry {
  readonly registered: RegisteredNode;
  readonly url: URL | undefined;
  health: NodeHealth;
  asked: NodePrices | null;
  priceRefusals: ReadonlyMap<ModelId, PriceRefusal>;
}

interface Standing {
  outstanding: number;
  refusals: number;
  avoidUntil: number;
  failedUntil: number;
  lastUsed: number;
}

export interface DirectoryOptions {
  readonly listNodes: () => Promise<readonly RegisteredNode[]>;
  /** Asks a worker's `/health`; throws when it cannot be reached. */
  readonly probe: (node: Address, url: URL) => Promise<{ readonly health: NodeHealth; readonly prices?: NodePrices }>;
  readonly allowLoopback: boolean;
  readonly caps: PriceCaps;
  readonly clock: Clock;
  /** Told when the chain cannot be read; the list that is known is used on. */
  readonly onChainFailure: (error: unknown) => void;
  /** Told once for each change of what a node asks. */
  readonly onPriceRefused: (node: Address, modelId: ModelId, refusal: PriceRefusal) => void;
}

/** Nodes from the chain with their health, read again when they are a few seconds old. */
export class NodeDirectory {
  readonly #options: DirectoryOptions;
  readonly #standing = new Map<Address, Standing>();
  #entries: readonly Entry[] | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #uses = 0;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /**
   * All registered nodes. A list that is no longer fresh is renewed behind the caller's back; the caller waits only when nothing is known
   * yet, or when the list is older than `maxAgeMs`.
   */
  async nodes(maxAgeMs = Number.POSITIVE_INFINITY): Promise<readonly KnownNode[]> {
    const age = this.#options.clock.now() - this.#readAt;
    if (age > limits.nodesFreshMs || age >= maxAgeMs) {
      const reading = this.refresh();
      if (!this.#entries || age >= maxAgeMs) await reading;
    }
    return (this.#entries ?? []).map(({ registered, ...found }) => ({
      ...registered,
      ...found,
      ...this.#of(registered.node),
    }));
  }

  async node(id: Address): Promise<KnownNode | undefined> {
    return (await this.nodes()).find(({ node }) => node === id);
  }

  /** Reads the chain and asks every node. Never rejects: failures are told to `onChainFailure`. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read()
      .catch((error: unknown) => {
        this.#entries ??= [];
        this.#options.onChainFailure(error);
      })
      .finally(() => {
        this.#reading = undefined;
        this.#readAt = this.#options.clock.now();
      });
    return this.#reading;
  }

  /** A run begins; call the returned function when it is over. */
  begin(node: Address): () => void {
    const standing = this.#of(node);
    standing.outstanding++;
    standing.lastUsed = ++this.#uses;
    return () => void standing.outstanding--;
  }

  failed(node: Address): void {
    this.#of(node).failedUntil = this.#options.clock.now() + limits.failedAvoidMs;
  }

  refused(node: Address): void {
    const standing = this.#of(node);
    standing.refusals++;
    standing.avoidUntil = this.#options.clock.now() + limits.refusedAvoidMs;
  }

  #of(node: Address): Standing {
    const known = this.#standing.get(node);
    if (known) return known;
    const fresh: Standing = { outstanding: 0, refusals: 0, avoidUntil: 0, failedUntil: 0, lastUsed: 0 };
    this.#standing.set(node, fresh);
    return fresh;
  }

  async #read(): Promise<void> {
    const registered = (await this.#options.listNodes()).slice(0, limits.nodes);
    const entries = registered.map((entry): Entry => ({
      registered: entry,
      ...this.#endpoint(entry),
      asked: null,
      priceRefusals: new Map(),
    }));
    const waiting = [...entries.keys()];
    const work = async (): Promise<void> => {
      for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
        const entry = entries[at]!;
        if (entry.url) await this.#probe(entry, entry.url);
      }
    };
    await Promise.all(Array.from({ length: limits.probesAtOnce }, work));
    for (const entry of entries) this.#checkPrices(entry);
    this.#entries = entries;
    for (const known of this.#standing.keys()) {
      if (this.#of(known).outstanding === 0 && !registered.some(({ node }) => node === known)) this.#standing.delete(known);
    }
  }

  #endpoint(entry: RegisteredNode): { url: URL | undefined; health: NodeHealth } {
    try {
      return { url: parseEndpoint(entry.endpoint, this.#options.allowLoopback), health: { status: 'down', reason: 'not asked yet' } };
    } catch (error) {
      if (!(error instanceof CommonweightError)) throw error;
      return { url: undefined, health: { status: 'down', reason: error.message } };
    }
  }

  #checkPrices(entry: Entry): void {
    const { node, prices } = entry.registered;
    const before = this.#entries?.find(({ registered }) => registered.node === node)?.priceRefusals;
    entry.priceRefusals = priceRefusals(prices, entry.asked, this.#options.caps);
    for (const [modelId, refusal] of entry.priceRefusals) {
      if (before?.get(modelId)?.message !== refusal.message) this.#options.onPriceRefused(node, modelId, refusal);
    }
  }

  async #probe(entry: Entry, url: URL): Promise<void> {
    try {
      const { health, prices } = await this.#options.probe(entry.registered.node, url);
      entry.health = health;
      entry.asked = prices ?? null;
    } catch (error) {
      entry.health = { status: 'down', reason: error instanceof CommonweightError ? error.message : 'the health check failed' };
    }
  }
}
