import { type Address, type Hex32, addressOfKey } from '@commonweight/protocol';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { startAnvil } from '../anvil-process.ts';
import { openDevChainFolder } from '../dev-chain-files.ts';
import { type DevContracts, installDevContracts } from '../dev-contracts.ts';
import { generateKey } from '../keys.ts';
import { jsonRpc } from '../platform/json-rpc.ts';
import { temporaryFolder } from './folders.ts';

/** A chain whose troubles the test makes: anvil without a guard, with old states, behind a line that can be cut. */
export interface TroubleChain extends AsyncDisposable {
  /** Through the line. */
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly money: DevContracts;
  /** Straight to anvil, cut or not. */
  anvil(method: string, ...params: unknown[]): Promise<unknown>;
  mine(blocks?: number): Promise<void>;
  automine(on: boolean): Promise<void>;
  /** Takes the newest blocks away and puts as many empty ones in their place. */
  reorganise(depth: number): Promise<void>;
  /** Hashes of the transactions that wait. */
  pool(): Promise<string[]>;
  cut(): void;
  mend(): void;
  fund(address: Address): Promise<void>;
}

const CHAIN_ID = 31_402;

export async function startTroubleChain(): Promise<TroubleChain> {
  const folder = await temporaryFolder();
  const paths = await openDevChainFolder(folder.path);
  const process = await startAnvil({ paths, chainId: CHAIN_ID, port: 0, history: true });
  const anvil = (method: string, ...params: unknown[]): Promise<unknown> => jsonRpc(process.rpcUrl, method, params);
  const line = await openLine(process.port);
  const privateKey: Hex32 = generateKey();
  const fund = async (address: Address): Promise<void> => void (await anvil('anvil_setBalance', address, `0x${(10n ** 21n).toString(16)}`));
  await fund(addressOfKey(privateKey));
  const money = await installDevContracts({ rpcUrl: process.rpcUrl, chainId: CHAIN_ID, privateKey });
  return {
    rpcUrl: line.url,
    chainId: CHAIN_ID,
    money,
    anvil,
    mine: async (blocks = 1) => void (await anvil('anvil_mine', `0x${blocks.toString(16)}`)),
    automine: async (on) => void (await anvil('evm_setAutomine', on)),
    reorganise: async (depth) => void (await anvil('anvil_reorg', depth, [])),
    pool: async () => {
      const { pending } = (await anvil('txpool_content')) as { pending: Record<string, Record<string, { hash: string }>> };
      return Object.values(pending).flatMap((account) => Object.values(account).map(({ hash }) => hash));
    },
    cut: line.cut,
    mend: line.mend,
    fund,
    [Symbol.asyncDispose]: async () => {
      await line.close();
      await process.kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A TCP line to a port of this machine: cut, it breaks what is open and refuses what comes. */
async function openLine(
  port: number,
): Promise<{ readonly url: string; readonly cut: () => void; readonly mend: () => void; readonly close: () => Promise<void> }> {
  const open = new Set<Socket>();
  let whole = true;
  const server = createServer((near) => {
    if (!whole) return void near.destroy();
    const far = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy()).on('close', () => (open.delete(socket), other.destroy()));
      socket.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const breakAll = (): void => open.forEach((socket) => void socket.destroy());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      whole = false;
      breakAll();
    },
    mend: () => void (whole = true),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      breakAll();
      await closed;
    },
  };
}
