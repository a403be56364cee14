// Process between the application and anvil: `node guard-main.js --chain-folder DIR --`, with an IPC channel to its parent.
// When the parent ends, however it ends, the channel closes: the guard writes a last snapshot, kills anvil and ends.
import { type GuardMessage, guardDevChain } from './dev-chain-guard.ts';

const stop = new AbortController();
const end = (): void => stop.abort();
process.once('disconnect', end);
process.once('message', end);
// the parent may have died while our modules were loading
if (!process.connected) end();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, end);

const tell = (message: GuardMessage): void => {
  // the parent may be dead already: then there is nobody to tell, and the guard goes on cleaning up
  if (process.connected) process.send!(message, () => undefined);
};

const at = process.argv.indexOf('--chain-folder');
const dataDir = process.argv[at + 1];
if (at < 0 || dataDir === undefined) throw new Error('the guard is started by startDevChain, not by hand');

try {
  await guardDevChain(dataDir, stop.signal, tell);
} catch (error) {
  const { code, message } = error as { code?: unknown; message?: unknown };
  tell({ type: 'failed', code: typeof code === 'string' ? code : 'dev_chain_failed', message: String(message) });
  process.exitCode = 1;
}
if (process.connected) process.disconnect();
