import { expectedRpcUrl, writeChainUrl } from './chain-url.ts';
import {
  type DevChain,
  connectChain,
  deployDevNetwork,
  fundDollars,
  readDeployments,
  stakeForOperators,
  startDevChain,
  writeDeployments,
} from '@commonweight/chain';
import type { BackendChoice } from '@commonweight/engine/node';
import { type Address, CommonweightError } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import type { Output } from '../output.ts';
import { now, pause } from '../platform/clock.ts';
import { onAbort, orAborted } from '../platform/stop-signals.ts';
import { getJson } from '../platform/http.ts';
import { knownPort, rememberPort } from './known-port.ts';
import { NODE_STAKE, PAYER_DOLLARS } from './dev-money.ts';
import type { Layout } from './layout.ts';
import type { KeyFile } from './key-file.ts';
import { isPortFree } from './port.ts';
import type { PreparedModel } from './prepare-model.ts';
import type { RoleCommand } from './role-process.ts';
import {
  type NetworkTerms,
  type WorkerRole,
  ensurePayerKey,
  ensureWorkerKeys,
  gatewayCommand,
  liarScript,
  workerCommand,
} from './roles.ts';
import { SupervisedRole } from './supervised-role.ts';

const HOST = '127.0.0.1';
const portOf = (url: string): number => Number(new URL(url).port);
/** Enough for a bond and the gas of years; the money of a development chain is worth nothing. */
const OPERATOR_FUNDS = 1_000n * 10n ** 18n;

export interface NetworkOptions {
  readonly layout: Layout;
  readonly model: PreparedModel;
  readonly nodes: number;
  readonly port: number;
  readonly liar: boolean;
  /** Of the workers. */
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly output: Output;
  /** For the log file: warnings that no user needs to act on. */
  readonly log: (message: string) => void;
}

export interface NetworkNode {
  readonly id: Address;
  readonly url: string;
}

interface Supervision {
  readonly command: (port: number) => RoleCommand;
  /** 0 takes any free one. */
  readonly port: number;
  /** Another one that is tried first. */
  readonly firstPort?: number;
  readonly onUrl: (url: string) => void;
  /** Of its events. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly onGivenUp?: () => void;
}

/** Chain, workers and gateway of one machine. `failed` resolves with the reason when the network cannot go on. */
export class DevNetwork {
  readonly #options: NetworkOptions;
  /** The gateway last. */
  readonly #roles: SupervisedRole[] = [];
  #chain: DevChain | undefined;
  #served = false;
  #fail!: (reason: CommonweightError) => void;
  readonly failed = new Promise<CommonweightError>((resolve) => (this.#fail = resolve));
  readonly nodes: NetworkNode[] = [];
  liar: Address | undefined;
  gatewayUrl = '';
  payer!: Address;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  get chain(): DevChain {
    if (this.#chain === undefined)
      throw new CommonweightError('the development chain was not started', { code: 'internal', action: 'stop' });
    return this.#chain;
  }

  /** Resolves when the gateway knows every node. Rejects when aborted, as soon as the chain has ended; {@link stop} ends the rest. */
  async start(signal: AbortSignal): Promise<void> {
    // what the start was given to stop it by must not stop the chain later, before the nodes
    const starting = new AbortController();
    using _abort = onAbort(signal, () => starting.abort(signal.reason));
    await this.#start(starting.signal);
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { layout, output } = this.#options;
    output.event('chain', { state: 'starting' });
    const expected = await expectedRpcUrl(layout);
    const moved = new AbortController();
    let roles: Promise<void> | undefined;
    if (expected !== undefined && (await isPortFree(HOST, portOf(expected)))) {
      roles = this.#startRoles(expected, AbortSignal.any([signal, moved.signal]));
      roles.catch(() => undefined);
    }
    const chain = (this.#chain = await startDevChain({ dataDir: layout.chain, log: this.#options.log, signal }));
    void chain.ended.then((error) => error && this.#fail(error));
    if (expected !== chain.rpcUrl || !chain.restored) {
      // another port, or a chain that has lost its contracts: what was started for the old one is of no use
      moved.abort();
      await this.#stopRoles();
      roles = undefined;
    }
    if (expected !== undefined && chain.restored) {
      roles ??= this.#startRoles(chain.rpcUrl, signal);
      roles.catch(() => undefined);
    }
    await orAborted(this.#deploy(), signal);
    writeChainUrl(layout, chain.rpcUrl);
    await orAborted(roles ?? this.#startRoles(chain.rpcUrl, signal), signal);
    await this.#waitForDiscovery(signal);
    this.#served = true;
  }

  async #deploy(): Promise<void> {
    const { layout, model, output } = this.#options;
    const { rpcUrl, chainId, devAccount } = this.chain;
    const known = await readDeployments(layout.deployments);
    const deployments = await deployDevNetwork({ rpcUrl, chainId, privateKey: devAccount.privateKey, known });
    await writeDeployments(layout.deployments, deployments);
    output.event('contracts', { ...deployments });
    const chain = await connectChain({ rpcUrl, chainId, deployments, privateKey: devAccount.privateKey });
    await chain.publishModel({
      modelId: model.id,
      weightsRoot: model.weightsRoot,
      manifestPointer: '',
      cardDigest: model.cardDigest,
      cardPointer: '',
    });
    output.event('model', { phase: 'published', id: model.id });
    const operators = Array.from({ length: this.#options.nodes }, (_, index) => ensureWorkerKeys(layout, index).operator.address);
    for (const account of [...operators, ensurePayerKey(layout).address]) await this.chain.fund(account, OPERATOR_FUNDS);
    // nodes earn in proportion to their stake; a development network's comes from its dev account
    await stakeForOperators({ rpcUrl, deployments, privateKey: devAccount.privateKey, operators, amount: NODE_STAKE });
    const { testDollar } = deployments;
    const money = { rpcUrl, chainId, privateKey: devAccount.privateKey };
    if (testDollar !== undefined) await fundDollars({ ...money, testDollar }, ensurePayerKey(layout).address, PAYER_DOLLARS);
  }

  /** Starts workers and gateway. They wait for the chain, so this may run before it: a second start is sooner by the time that the chain takes. */
  async #startRoles(rpcUrl: string, signal: AbortSignal): Promise<void> {
    const { layout, model, nodes, liar, backend, threads } = this.#options;
    const asset = (await readDeployments(layout.deployments))?.testDollar;
    if (asset === undefined)
      throw new CommonweightError(`${layout.deployments} names no money; remove it and start again`, {
        code: 'dev_chain_file',
        action: 'stop',
      });
    const terms: NetworkTerms = { layout, rpcUrl, packageDir: model.dir, asset, host: HOST, backend, threads };
    // the last one lies: the nodes before it are the ones that a network without a liar has
    const liarIndex = liar ? nodes - 1 : -1;
    const script = liar ? await liarScript() : undefined;
    const keys = Array.from({ length: nodes }, (_, index) => ensureWorkerKeys(layout, index));
    const payer = ensurePayerKey(layout);
    this.payer = payer.address;
    const ports = await Promise.all(keys.map((_, index) => knownPort(HOST, layout.node(index))));
    // from here to the last process nothing waits: an abort finds all of them in the list, or none
    signal.throwIfAborted();
    const workers = keys.map((own, index) =>
      this.#startWorker(terms, { index, keys: own, port: ports[index]!, ...(index === liarIndex && script && { script }) }),
    );
    const gateway = this.#startGateway(terms, payer);
    const settled = await Promise.allSettled([...workers, gateway]);
    const broken = settled.find((result) => result.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
    if (liarIndex >= 0) this.liar = keys[liarIndex]?.operator.address;
  }

  async #startWorker(terms: NetworkTerms, worker: WorkerRole): Promise<void> {
    const { index } = worker;
    const id = worker.keys.operator.address;
    await this.#supervise({
      command: (port) => workerCommand(terms, { ...worker, port }),
      port: 0,
      firstPort: worker.port,
      onUrl: (url) => {
        this.nodes[index] = { id, url };
        rememberPort(terms.layout.node(index), portOf(url));
      },
      fields: { node: id },
    });
  }

  async #startGateway(terms: NetworkTerms, payer: KeyFile): Promise<void> {
    const { logs } = terms.layout;
    await this.#supervise({
      command: (port) => gatewayCommand(terms, port, payer),
      port: this.#options.port,
      onUrl: (url) => (this.gatewayUrl = url),
      onGivenUp: () =>
        this.#fail(new CommonweightError(`the gateway ended too often; its log is in ${logs}`, { code: 'role_failed', action: 'stop' })),
    });
  }

  /** Starts a role and keeps it running. A restart keeps the port: clients and the chain were told the URL. */
  async #supervise({ command, port, firstPort = port, onUrl, fields = {}, onGivenUp }: Supervision): Promise<void> {
    const { output } = this.#options;
    const { name, logFile } = command(port);
    const tried = [firstPort];
    let ownPort = port;
    const role: SupervisedRole = new SupervisedRole(() => command(tried.pop() ?? ownPort), {
      onReady: ({ url }, first, pid) => {
        onUrl(url);
        ownPort = portOf(url);
        output.event('process', { name, state: 'ready', url, pid, ...fields });
        if (!first) output.note(`${name} is back on ${url}`);
      },
      onCrash: (how, wait) => {
        output.event('process', { name, state: 'ended', how, ...(wait !== undefined && { restartInMilliseconds: wait }), ...fields });
        const next = wait === undefined ? 'it ended too often and is given up' : `it is started again in ${wait / 1000} s`;
        output.note(`${name} ended (${how}): ${next}; log: ${logFile}`);
        if (wait === undefined) onGivenUp?.();
      },
    });
    this.#roles.push(role);
    await role.start();
  }

  /** The gateway finds its nodes on the chain: the first request must not come before it did. */
  async #waitForDiscovery(signal: AbortSignal): Promise<void> {
    const wanted = this.nodes.map(({ id }) => id);
    const end = now() + limits.discovery;
    while (!(await this.#discovers(wanted))) {
      signal.throwIfAborted();
      if (now() > end)
        throw new CommonweightError(`the gateway did not find its ${wanted.length} nodes within ${limits.discovery / 1000} s`, {
          code: 'role_failed',
          action: 'stop',
        });
      await pause(limits.discoveryPoll, signal);
    }
  }

  async #discovers(wanted: readonly Address[]): Promise<boolean> {
    const text = JSON.stringify(await getJson(`${this.gatewayUrl}/v1/nodes`));
    return wanted.every((id) => text.includes(id));
  }

  /** Gateway first, then the workers, the chain last: receipts that were signed can still be posted. Bounded at each step. */
  async stop(): Promise<void> {
    // a network that never served has signed nothing
    if (!this.#served) await Promise.all([this.#stopRoles(), this.#chain?.stop()]);
    await this.#stopRoles();
    await this.#chain?.stop();
  }

  async #stopRoles(): Promise<void> {
    const roles = this.#roles.splice(0);
    if (this.#served) await roles.at(-1)?.stop();
    await Promise.all(roles.map((role) => role.stop()));
  }

  /** At once: SIGKILL for the roles; the chain's guard ends by itself when we are gone. */
  kill(): void {
    for (const role of this.#roles) role.kill();
  }
}
