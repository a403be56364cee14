/** See {@link HELP}. */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { measureFirstByte, measureParallel } from './measure-parallel.ts';
import { measureCrashes } from './crashes.ts';
import { startBenchNetwork } from './network.ts';

const HELP = `npm run -s bench:payments -- [options]

Pays a real worker on a development chain, with a tiny random model:
  parallel     so many paid requests at once, half of them on one channel, the others exact and upto; every receipt is compared with the money that arrived
  first byte   from the model's first token to the reader, payments settled behind it (the 95th percentile of 40 runs)
  crashes      the worker is killed (kill -9) at every step of every journal record, and started again; at the end the sums are compared

  --parallel N   requests at once (200)
  --repeat N     times that every crash point is run (20)
  --json         the last line is the result alone
  --help`;

const { values } = parseArgs({
  options: {
    parallel: { type: 'string', default: '200' },
    repeat: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}

const bench = await startBenchNetwork();
try {
  const { requests, lost, double, milliseconds } = await measureParallel(bench, Number(values.parallel));
  process.stderr.write(`${requests} paid requests at once: ${milliseconds} ms\n`);
  const firstByteDelayMs = await measureFirstByte(bench);
  const crashes = await measureCrashes(bench, Number(values.repeat));
  process.stdout.write(`${JSON.stringify({ parallel: requests, lost, double, firstByteDelayMs, ...crashes })}\n`);
  process.exitCode = lost + double + crashes.crashLost + crashes.crashDouble === 0 ? 0 : 1;
} finally {
  await bench.network.stop();
}
