// npm run bench:quality -- [--profile default,int8,q8_0,q4_1] [--windows 32] [--processes 1] [--text FILE] [--table] [--json]
// Perplexity, top-1 agreement and KL of quantised models against the float model of the same GGUF (protocol: docs/decisions/0008).
// --table writes all of them into docs/quality.md. Figures of a window are kept under .cache/bench/quality: a run that was interrupted goes on.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { defaultModel, openPackage } from '@commonweight/models';
import { createProgress } from '../engine/progress.ts';
import { prepareProfile, profileNames, sourceOf, tokenizerPackage } from './profiles.ts';
import { type Result, resultOf } from './result.ts';
import { runWindows } from './run-windows.ts';
import { tableOf } from './table.ts';
import { WindowResults } from './window-results.ts';

const WINDOW = 512;
const root = join(import.meta.dirname, '../..');
const { values: options } = parseArgs({
  options: {
    profile: { type: 'string' },
    text: { type: 'string', default: join(root, '../shared/eval/wikitext-sample.txt') },
    windows: { type: 'string', default: '32' },
    processes: { type: 'string', default: '1' },
    table: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const wanted = options.profile?.split(',') ?? (options.table ? profileNames : ['default']);
const unknown = wanted.find((name) => !profileNames.some((known) => known === name));
if (unknown !== undefined) throw new Error(`--profile: expected some of ${profileNames.join(', ')}, got "${unknown}"`);
if (!existsSync(options.text)) {
  console.error(`bench:quality needs a text of at least ${WINDOW} tokens a window: ${options.text} is not there, pass --text FILE`);
  process.exit(2);
}

const places = { dataDir: join(root, '.cache'), progress: createProgress(), signal: new AbortController().signal };
const gguf = await sourceOf(places);
const tokenizer = (await openPackage(await tokenizerPackage(places))).tokenizer();
const ids = tokenizer.encode(readFileSync(options.text, 'utf8').slice(0, 400_000), { allowSpecial: false });
const count = Math.min(Number(options.windows), Math.floor(ids.length / WINDOW));
const windows = Array.from({ length: count }, (_, i) => ids.slice(i * WINDOW, (i + 1) * WINDOW));

const subjects = [];
for (const name of profileNames) if (wanted.includes(name)) subjects.push(await prepareProfile(name, places));
const results = new Map(
  subjects.map(({ name, identity }) => [
    name as string,
    new WindowResults(join(places.dataDir, 'bench/quality'), `${defaultModel.sha256} ${identity}`),
  ]),
);
await runWindows({
  gguf,
  subjects,
  windows,
  results,
  processes: Number(options.processes),
  onWindow: (done, total) => places.progress.line(`${done} of ${total} windows`),
});

const rows: Result[] = subjects.map(({ name, bytes }) =>
  resultOf(
    name,
    bytes,
    windows.map((window) => results.get(name)!.get(window)!),
  ),
);
const table = tableOf(rows);
if (options.table) {
  const file = join(root, 'docs/quality.md');
  const marks = /(<!-- TABLE -->\n)[^]*(\n<!-- END -->)/u;
  const text = readFileSync(file, 'utf8');
  if (!marks.test(text)) throw new Error(`${file}: expected a line <!-- TABLE --> and after it <!-- END -->`);
  writeFileSync(
    file,
    text.replace(marks, (_all, start: string, end: string) => `${start}\n${table}\n${end}`),
  );
}
console.log(options.json ? JSON.stringify(rows) : table);
process.exitCode = rows.every(({ passed }) => passed !== false) ? 0 : 1;
