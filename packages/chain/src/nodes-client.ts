import { type Address, type Hex32, type ModelId, ZERO_ADDRESS, ZERO_HEX32, addressOfKey } from '@commonweight/protocol';
import { type nodeRegistryAbi } from './abis.gen.ts';
import { type ContractCaller } from './contract-caller.ts';
import { ChainError } from './errors.ts';
import { lower } from './lower.ts';
import { limits } from './limits.ts';
import { readPages } from './pages.ts';
import { type NodeRegistryDomain, proveSessionKey } from './session-key-proof.ts';
import { type Submitter } from './submitter.ts';

/** What a node asks for one model: per million tokens, in the asset's smallest unit. */
export interface ModelPrice {
  readonly modelId: ModelId;
  /** Zero only when both prices are. */
  readonly asset: Address;
  /** Below 2^128, like the other one. */
  readonly promptPrice: bigint;
  readonly completionPrice: bigint;
}

/** What a node tells its clients, and may change at any time. */
export interface NodeOffer {
  /** URL of the worker, 1 to 256 bytes. */
  readonly endpoint: string;
  /** X25519 public key that bodies are sealed to; default zero: none. */
  readonly encryptionKey?: Hex32;
  /** The models it serves, each once, in any order; at most 64. */
  readonly prices: readonly ModelPrice[];
}

export interface NodeRegistration extends NodeOffer {
  /** Signs receipts. The private key is needed to prove that it agrees to serve this operator; it does not leave the process. */
  readonly sessionPrivateKey: Hex32;
  /** Wei; default the registry's minimum. A node that has less is topped up; one that has more keeps it. */
  readonly bond?: bigint;
}

export interface NodeRecord {
  /** The operator's address: the id of the node. */
  readonly node: Address;
  readonly sessionKey: Address;
  readonly endpoint: string;
  /** X25519 public key; zero: none. */
  readonly encryptionKey: Hex32;
  /** By ascending model id. */
  readonly prices: readonly ModelPrice[];
  /** The models of `prices`, in their order. */
  readonly models: readonly ModelId[];
  readonly bond: bigint;
  /** Not exiting. */
  readonly active: boolean;
  /** Unix seconds. */
  readonly registeredAt: number;
  /** Unix seconds from which the bond can be withdrawn; 0 while active. */
  readonly exitableAt: number;
}

export interface NodesClient {
  /** Makes the registration of this key's node what is asked for: registers, rotates the session key, updates or tops up. @returns how many transactions it took */
  registerNode(registration: NodeRegistration): Promise<number>;
  /** Makes this node's offer what is asked for; a change of one price alone is the cheaper transaction for it. @returns whether there was a transaction */
  updateNode(offer: NodeOffer): Promise<boolean>;
  /** What a node asks for a model now; undefined when it is not registered or does not serve it. */
  priceOf(node: Address, modelId: ModelId): Promise<ModelPrice | undefined>;
  /** Every registered node, exiting ones included. */
  listNodes(): Promise<NodeRecord[]>;
  nodeInfo(node: Address): Promise<NodeRecord | undefined>;
  /** The node that a session key belongs to or once belonged to. */
  nodeOf(sessionKey: Address): Promise<Address | undefined>;
  minimumBond(): Promise<bigint>;
  requestExit(): Promise<void>;
  /** Ends the registration of an exiting node and pays its bond to `to`. */
  withdraw(to: Address): Promise<void>;
}

type Caller = ContractCaller<typeof nodeRegistryAbi>;
const readPage = (registry: Caller, offset: bigint, limit: bigint) => registry.read('nodesPage', [offset, limit]);
type NodeView = Awaited<ReturnType<typeof readPage>>[number];

type Offer = NodeView['info']['offer'];

const toPrice = ({ modelId, asset, promptPrice, completionPrice }: Offer['prices'][number]): ModelPrice => ({
  modelId,
  asset: lower(asset),
  promptPrice,
  completionPrice,
});

const toRecord = ({ node, info }: NodeView): NodeRecord => {
  const prices = info.offer.prices.map(toPrice);
  return {
    node: lower(node),
    sessionKey: lower(info.sessionKey),
    endpoint: info.offer.endpoint,
    encryptionKey: info.offer.encryptionKey,
    prices,
    models: prices.map(({ modelId }) => modelId),
    bond: info.bond,
    active: info.exitableAt === 0n,
    registeredAt: Number(info.registeredAt),
    exitableAt: Number(info.exitableAt),
  };
};

/** As the contract wants it: ascending ids. */
const toOffer = ({ endpoint, encryptionKey = ZERO_HEX32, prices }: NodeOffer): Required<NodeOffer> => ({
  endpoint,
  encryptionKey,
  prices: prices.toSorted((a, b) => (a.modelId < b.modelId ? -1 : 1)),
});

const samePrice = (a: ModelPrice, b: ModelPrice | undefined): boolean =>
  a.modelId === b?.modelId && a.asset === b.asset && a.promptPrice === b.promptPrice && a.completionPrice === b.completionPrice;

export function nodesClient(registry: Caller, domain: NodeRegistryDomain, submitter: Submitter | undefined): NodesClient {
  const self = (): Address => {
    if (!submitter) throw new ChainError('chain_read_only', 'a registration needs the private key of the operator');
    return submitter.account.address;
  };
  const nodeInfo = async (node: Address): Promise<NodeRecord | undefined> =>
    (await registry.read('isRegistered', [node])) ? toRecord({ node, info: await registry.read('nodeInfo', [node]) }) : undefined;
  const changeOffer = async (known: NodeRecord | undefined, offer: NodeOffer): Promise<boolean> => {
    const wanted = toOffer(offer);
    const sameRest = known?.endpoint === wanted.endpoint && known.encryptionKey === wanted.encryptionKey;
    const sameModels =
      known?.prices.length === wanted.prices.length && wanted.prices.every((price, i) => price.modelId === known.models[i]);
    const changed = [...wanted.prices.keys()].filter((i) => !samePrice(wanted.prices[i]!, known?.prices[i]));
    if (sameRest && sameModels && changed.length === 0) return false;
    const [index] = changed;
    if (sameRest && sameModels && changed.length === 1) await registry.write('setPrice', [BigInt(index!), wanted.prices[index!]!]);
    else await registry.write('update', [wanted]);
    return true;
  };
  const minimumBond = (): Promise<bigint> => registry.read('MINIMUM_BOND', []);

  return {
    nodeInfo,
    minimumBond,
    listNodes: async () =>
      (
        await readPages(
          (offset, limit) => readPage(registry, offset, limit),
          (entry) => entry.node,
          limits.nodesPage,
        )
      ).map(toRecord),
    priceOf: async (node, modelId) => (await nodeInfo(node))?.prices.find((price) => price.modelId === modelId),
    nodeOf: async (sessionKey) => {
      const node = lower(await registry.read('nodeOfSessionKey', [sessionKey]));
      return node === ZERO_ADDRESS ? undefined : node;
    },
    registerNode: async ({ sessionPrivateKey, bond, ...offer }) => {
      const node = self();
      const sessionKey = addressOfKey(sessionPrivateKey);
      const proof = () => proveSessionKey(node, sessionPrivateKey, domain);
      const wanted = bond ?? (await minimumBond());
      const known = await nodeInfo(node);
      if (!known) {
        await registry.write('register', [sessionKey, proof(), toOffer(offer)], wanted);
        return 1;
      }
      let transactions = 0;
      if (known.sessionKey !== sessionKey) {
        await registry.write('rotateSessionKey', [sessionKey, proof()]);
        transactions++;
      }
      if (await changeOffer(known, offer)) transactions++;
      if (known.bond < wanted) {
        await registry.write('addBond', [], wanted - known.bond);
        transactions++;
      }
      return transactions;
    },
    updateNode: async (offer) => changeOffer(await nodeInfo(self()), offer),
    requestExit: async () => void (await registry.write('requestExit', [])),
    withdraw: async (to) => void (await registry.write('withdraw', [to])),
  };
}
