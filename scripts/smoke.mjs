// The tour of the README as a check: `npm start`, a chat, the receipt on chain, `verify`, `replay`, Ctrl-C, a second start.
// Prints one line a check and, last, `smoke: N passed, N failed`.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { Network, processesLeft } from './lib/network.mjs';
import { capture, npmCommand } from './lib/run.mjs';
import { root } from './lib/workspace.mjs';

const folder = mkdtempSync(join(tmpdir(), 'commonweight-smoke-'));
const data = join(folder, 'data');
const answerFile = join(folder, 'answer.json');
const counts = { passed: 0, failed: 0 };

async function check(name, work) {
  const started = Date.now();
  try {
    const note = await work();
    counts.passed++;
    console.log(`ok    ${name}${note === undefined ? '' : ` (${note})`} ${((Date.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    counts.failed++;
    console.log(`FAIL  ${name}: ${String(error)}`);
  }
}

function require(condition, message) {
  if (!condition) throw new Error(message);
}

function startNetwork() {
  const npm = npmCommand(['start', '--silent', '--', '--json', '--port', '0', '--data', data]);
  return new Network(npm.command, npm.args, { cwd: root, detached: true, ...npm.options });
}

const commonweight = (...args) => capture(process.execPath, [join(root, 'packages/cli/bin/commonweight.js'), ...args], { cwd: root });

/** Asks until the answer is what `wanted` looks for, or the time is over. */
async function poll(milliseconds, ask, wanted) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await ask();
    if (wanted(value)) return value;
    require(Date.now() < end, `not within ${milliseconds / 1000} s: ${JSON.stringify(value).slice(0, 500)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function getJson(url) {
  const response = await fetch(url);
  return response.json();
}

async function tour() {
  mkdirSync(data);
  let network = startNetwork();
  let ready;
  let answer;
  await check('npm start says ready', async () => {
    ready = await network.ready();
    require(ready.nodes.length === 3, `3 nodes expected, got ${ready.nodes.length}`);
    return `${ready.seconds} s`;
  });
  if (ready === undefined) return network;
  await check('the capital of Japan', async () => {
    const body = { model: ready.model.name, temperature: 0, messages: [{ role: 'user', content: 'What is the capital of Japan?' }] };
    const response = await fetch(`${ready.url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    writeFileSync(answerFile, text);
    answer = JSON.parse(text);
    const content = answer.choices?.[0]?.message?.content ?? text;
    require(content.includes('Tokyo'), `an answer with Tokyo expected, got ${content}`);
    return JSON.stringify(content);
  });
  await check('the receipt is on chain within 10 s', async () => {
    const { parseBundle, receiptDigest } = await import(pathToFileURL(join(root, 'packages/protocol/dist/index.js')).href);
    const { receipt, domain } = parseBundle(answer.receipt);
    const url = `${ready.url}/receipts/${receiptDigest(receipt, domain)}`;
    const posted = await poll(
      10_000,
      () => getJson(url),
      (value) => value.proof !== undefined,
    );
    return `batch ${posted.batch?.index}`;
  });
  await check('verify', async () => {
    const { code, tail } = await commonweight('verify', answerFile, '--data', data);
    require(code === 0, tail);
    return tail.split('\n').find((line) => line.startsWith('VERIFIED'));
  });
  await check('replay gives the same bytes', async () => {
    const { code, tail } = await commonweight('replay', answerFile, '--data', data);
    require(code === 0 && tail === answer.choices[0].message.content, tail);
  });
  await check('Ctrl-C leaves no process', async () => {
    const how = await network.pressCtrlC();
    const left = await processesLeft(data, 3000);
    require(left.length === 0, `left: ${left.join(', ')}`);
    return `ended with ${how}`;
  });
  await check('verify with the network stopped', async () => {
    const { code, tail } = await commonweight('verify', answerFile, '--data', data);
    require(tail.includes('Not checked:'), tail);
    return `exit code ${code}`;
  });
  network = startNetwork();
  await check('second start', async () => {
    const again = await network.ready();
    return `ready after ${again.seconds} s`;
  });
  await check('SIGKILL of npm leaves no process', async () => {
    await network.stop('SIGKILL');
    const left = await processesLeft(data, 10_000);
    require(left.length === 0, `left: ${left.join(', ')}`);
  });
  return network;
}

const network = await tour();
if (network.child.exitCode === null && network.child.signalCode === null) await network.pressCtrlC();
const left = await processesLeft(data, 5000);
// only processes of our own data folder, by id
left.forEach((pid) => process.kill(pid, 'SIGKILL'));
rmSync(folder, { recursive: true, force: true });
console.log(`smoke: ${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;
