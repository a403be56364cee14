import { type Address, type Hex32, type ModelId, ZERO_ADDRESS, addressOfKey } from '@commonweight/protocol';
import { type nodeRegistryAbi } from './abis.gen.ts';
import { type ContractCaller } from './contract-caller.ts';
import { ChainError } from './errors.ts';
import { lower } from './lower.ts';
import { readPages } from './pages.ts';
import { type NodeRegistryDomain, proveSessionKey } from './session-key-proof.ts';
import { type Submitter } from './submitter.ts';

export interface NodeRegistration {
  /** Signs receipts. The private key is needed to prove that it agrees to serve this operator; it does not leave the process. */
  readonly sessionPrivateKey: Hex32;
  /** URL of the worker, 1 to 256 bytes. */
  readonly endpoint: string;
  /** At most 64. */
  readonly models: readonly ModelId[];
  /** Wei; default the registry's minimum. A node that has less is topped up; one that has more keeps it. */
  readonly bond?: bigint;
}

export interface NodeRecord {
  /** The operator's address: the id of the node. */
  readonly node: Address;
  readonly sessionKey: Address;
  readonly endpoint: string;
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
  /** Replaces endpoint and models when they differ. @returns whether there was a transaction */
  updateNode(offer: Pick<NodeRegistration, 'endpoint' | 'models'>): Promise<boolean>;
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

const toRecord = ({ node, info }: NodeView): NodeRecord => ({
  node: lower(node),
  sessionKey: lower(info.sessionKey),
  endpoint: info.endpoint,
  models: info.models,
  bond: info.bond,
  active: info.exitableAt === 0n,
  registeredAt: Number(info.registeredAt),
  exitableAt: Number(info.exitableAt),
});

const sameOffer = (a: Pick<NodeRecord, 'endpoint' | 'models'>, b: Pick<NodeRecord, 'endpoint' | 'models'>): boolean =>
  a.endpoint === b.endpoint && a.models.length === b.models.length && a.models.every((model, i) => model === b.models[i]);

export function nodesClient(registry: Caller, domain: NodeRegistryDomain, submitter: Submitter | undefined): NodesClient {
  const self = (): Address => {
    if (!submitter) throw new ChainError('chain_read_only', 'a registration needs the private key of the operator');
    return submitter.account.address;
  };
  const nodeInfo = async (node: Address): Promise<NodeRecord | undefined> =>
    (await registry.read('isRegistered', [node])) ? toRecord({ node, info: await registry.read('nodeInfo', [node]) }) : undefined;
  const minimumBond = (): Promise<bigint> => registry.read('MINIMUM_BOND', []);

  return {
    nodeInfo,
    minimumBond,
    listNodes: async () =>
      (
        await readPages(
          (offset, limit) => readPage(registry, offset, limit),
          (entry) => entry.node,
        )
      ).map(toRecord),
    nodeOf: async (sessionKey) => {
      const node = lower(await registry.read('nodeOfSessionKey', [sessionKey]));
      return node === ZERO_ADDRESS ? undefined : node;
    },
    registerNode: async ({ sessionPrivateKey, endpoint, models, bond }) => {
      const node = self();
      const sessionKey = addressOfKey(sessionPrivateKey);
      const proof = () => proveSessionKey(node, sessionPrivateKey, domain);
      const wanted = bond ?? (await minimumBond());
      const known = await nodeInfo(node);
      if (!known) {
        await registry.write('register', [sessionKey, proof(), endpoint, models], wanted);
        return 1;
      }
      let transactions = 0;
      if (known.sessionKey !== sessionKey) {
        await registry.write('rotateSessionKey', [sessionKey, proof()]);
        transactions++;
      }
      if (!sameOffer(known, { endpoint, models })) {
        await registry.write('update', [endpoint, models]);
        transactions++;
      }
      if (known.bond < wanted) {
        await registry.write('addBond', [], wanted - known.bond);
        transactions++;
      }
      return transactions;
    },
    updateNode: async (offer) => {
      const known = await nodeInfo(self());
      if (known && sameOffer(known, offer)) return false;
      await registry.write('update', [offer.endpoint, offer.models]);
      return true;
    },
    requestExit: async () => void (await registry.write('requestExit', [])),
    withdraw: async (to) => void (await registry.write('withdraw', [to])),
  };
}
