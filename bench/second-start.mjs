// `npm run bench:start [-- --runs N --busy --clone DIR]`: second starts of a network, one after the other, with the processor time of its processes (Linux).
// --busy keeps one core at work meanwhile; --clone starts the network of another clone of this repository in turn with this one, to compare the two in one run.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Network, processesLeft } from '../scripts/lib/network.mjs';
import { root } from '../scripts/lib/workspace.mjs';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, busy: { type: 'boolean', default: false }, clone: { type: 'string' } },
});
const TICKS_A_SECOND = 100;
const model = process.env.COMMONWEIGHT_MODEL_PATH ?? join(root, '.cache/downloads/SmolLM2-135M-Instruct.Q4_1.gguf');

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)];

/** User and system seconds of every process that names `mark`, together. */
function processorSeconds(mark) {
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/u.test(name) && Number(name) !== process.pid)) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark)) continue;
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch (error) {
      // it ended between the two looks
      if (!['ENOENT', 'ESRCH'].includes(error.code)) throw error;
    }
  }
  return ticks / TICKS_A_SECOND;
}

async function start({ clone, data }, first = false) {
  const source = first ? ['--model', model] : [];
  const args = [join(clone, 'scripts/start.mjs'), '--json', '--port', '0', '--data', data, ...source];
  const network = new Network(process.execPath, args, { cwd: clone });
  const { seconds } = await network.ready();
  const processor = processorSeconds(data);
  await network.stop();
  const left = await processesLeft(data, 1_000);
  if (left.length > 0) throw new Error(`processes left: ${left.join(', ')}`);
  return { seconds, processor };
}

const folder = mkdtempSync(join(tmpdir(), 'commonweight-second-start-'));
const subjects = [root, ...(values.clone === undefined ? [] : [resolve(values.clone)])].map((clone, index) => ({
  clone,
  name: index === 0 ? 'this clone' : clone,
  data: join(folder, String(index)),
  runs: [],
}));
let busy;
try {
  for (const subject of subjects) await start(subject, true);
  if (values.busy) busy = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  for (let run = 0; run < Number(values.runs); run++) {
    for (const subject of subjects) {
      const result = await start(subject);
      subject.runs.push(result);
      console.log(
        `${subject.name}: ready after ${result.seconds.toFixed(1)} s, ${result.processor.toFixed(2)} s of processor time (load ${loadavg()[0].toFixed(1)})`,
      );
    }
  }
} finally {
  busy?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${cpus().length} processors, ${cpus()[0]?.model}, Node ${process.versions.node}${values.busy ? ', one kept busy' : ''}`);
for (const { name, runs } of subjects) {
  const seconds = median(runs.map((run) => run.seconds));
  const processor = median(runs.map((run) => run.processor));
  console.log(`${name}: medians of ${runs.length}: ${seconds.toFixed(1)} s, ${processor.toFixed(2)} s of processor time`);
}
