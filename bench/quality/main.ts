// npm run bench:quality -- [--text FILE] [--windows 32] [--processes 2] [--json]
// Perplexity, top-1 agreement and KL of the integer model against the float model of the same GGUF (protocol: docs/decisions/0008).
import { fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureDefaultModel, fetchDefaultModel, openPackage } from '@commonweight/models';
import { type Figures, addFigures, noFigures } from './compare.ts';

const WINDOW = 512;
/** Targets of the issue that this bench guards: at most +0.5 % perplexity, KL at most 0.0055. */
const TARGETS = { perplexity: 0.005, divergence: 0.0055 };

const { values: options } = parseArgs({
  options: {
    text: { type: 'string' },
    windows: { type: 'string', default: '32' },
    processes: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const root = fileURLToPath(new URL('../../', import.meta.url));
const textFile = options.text ?? fileURLToPath(new URL('../../../shared/eval/wikitext-sample.txt', import.meta.url));
if (!existsSync(textFile)) {
  console.error(`bench:quality needs a text of at least ${WINDOW} tokens a window: ${textFile} is not there, pass --text FILE`);
  process.exit(2);
}
const log = (text: string): void => void process.stderr.write(text);
const dataDir = `${root}.cache`;
const signal = new AbortController().signal;
const packageDir = await ensureDefaultModel({ dataDir, signal, log: (line: string) => log(`${line}\n`) });
const gguf = await fetchDefaultModel({ dataDir, signal, log: (line: string) => log(`${line}\n`) });
const tokenizer = (await openPackage(packageDir)).tokenizer();
const ids = tokenizer.encode(readFileSync(textFile, 'utf8').slice(0, 400_000), { allowSpecial: false });
const count = Math.min(Number(options.windows), Math.floor(ids.length / WINDOW));
const windows = Array.from({ length: count }, (_, i) => ids.slice(i * WINDOW, (i + 1) * WINDOW));

const total = noFigures();
const started = performance.now();
let next = 0;
let done = 0;
/** A process of its own: threads would not see the TypeScript loader that this file runs under. */
async function runProcess(): Promise<void> {
  const child = fork(fileURLToPath(new URL('./window-process.ts', import.meta.url)), [gguf, packageDir]);
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a window process ended with code ${code}`))));
    child.on('message', (message: 'ready' | Figures) => {
      if (message !== 'ready') {
        addFigures(total, message);
        const seconds = (performance.now() - started) / 1000;
        log(`\r${++done} of ${count} windows, ${seconds.toFixed(0)} s`);
      }
      const window = windows[next++];
      if (window) child.send(window);
      else child.disconnect();
    });
  });
}
await Promise.all(Array.from({ length: Math.min(Number(options.processes), count) }, runProcess));
log('\n');

const floatPerplexity = Math.exp(total.floatLoss / total.predictions);
const integerPerplexity = Math.exp(total.integerLoss / total.predictions);
const result = {
  windows: count,
  predictions: total.predictions,
  floatPerplexity,
  integerPerplexity,
  perplexityChange: integerPerplexity / floatPerplexity - 1,
  top1Agreement: total.agreements / total.positions,
  divergence: total.divergence / total.positions,
  seconds: (performance.now() - started) / 1000,
};
const passed = result.perplexityChange <= TARGETS.perplexity && result.divergence <= TARGETS.divergence;
if (options.json) {
  console.log(JSON.stringify({ ...result, targets: TARGETS, passed }));
} else {
  console.log(`windows of ${WINDOW}        ${result.windows} (${result.predictions} predictions)`);
  console.log(`perplexity, float      ${floatPerplexity.toFixed(4)}`);
  console.log(
    `perplexity, integer    ${integerPerplexity.toFixed(4)} (${(100 * result.perplexityChange).toFixed(3)} %, target at most +${100 * TARGETS.perplexity} %)`,
  );
  console.log(`top-1 agreement        ${(100 * result.top1Agreement).toFixed(2)} %`);
  console.log(`KL(float || integer)   ${result.divergence.toFixed(5)} (target at most ${TARGETS.divergence})`);
  console.log(passed ? 'targets met' : 'TARGETS MISSED');
}
process.exitCode = passed ? 0 : 1;
