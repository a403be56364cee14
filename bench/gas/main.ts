// Gas of what a node does on chain, of whole mined transactions: `npm run -s bench:gas [-- --json]`. Ends with one line of JSON when asked for it.
import { claimPerChannel } from './claim-per-channel.ts';
import { rootAndRelease } from './root-and-release.ts';

const CHANNELS = 50;
const { firstRoot, root, rootBySession, receipts, cover, firstRelease, release } = await rootAndRelease();
const claimPerChannelAt50 = await claimPerChannel(CHANNELS);
const rows: readonly (readonly [string, number, number?])[] = [
  ['a root of receipts, stored (the first of a node)', firstRoot],
  ['a root of receipts, stored, by the operator', root, 55_000],
  ['the same, by the session key', rootBySession],
  [`the same for each of ${receipts} receipts`, root / receipts, 6],
  [`a claim, for each of ${CHANNELS} channels`, claimPerChannelAt50, 27_000],
  ['a receipt shown', cover],
  ['a split released (the first to its payees)', firstRelease],
  ['a split released', release, 120_000],
];
for (const [what, gas, target] of rows)
  console.log(`${what.padEnd(52)} ${String(gas).padStart(8)}${target === undefined ? '' : `   target ${target}`}`);
if (process.argv.includes('--json'))
  console.log(JSON.stringify({ receiptRootStored: root, perReceiptAt10k: root / receipts, claimPerChannelAt50, splitRelease: release }));
