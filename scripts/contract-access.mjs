// Compares contracts/access.json (every state-changing function and who may call it) with what forge built: a function that nobody listed fails.
import { readFileSync, readdirSync } from 'node:fs';

const contracts = new URL('../contracts/', import.meta.url);
const table = JSON.parse(readFileSync(new URL('access.json', contracts), 'utf8'));
/** Not ours, but deployed by ours. */
const fromLibraries = ['AccessManager', 'TimelockController'];

const artifactOf = (file, name) => JSON.parse(readFileSync(new URL(`out/${file}/${name}.json`, contracts), 'utf8'));

/** Contracts of src/ that can be deployed: libraries and abstract ones have no functions of their own on chain. */
function ownContracts() {
  return readdirSync(new URL('src/', contracts), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sol'))
    .flatMap((path) => {
      const source = readFileSync(new URL(`src/${path}`, contracts), 'utf8');
      return [...source.matchAll(/^contract (\w+)/gm)].map(([, name]) => [path.split(/[\\/]/).at(-1), name]);
    });
}

/** Signatures of functions that can change state. */
function changing({ abi, methodIdentifiers }) {
  const names = new Set(abi.filter((x) => x.type === 'function' && !['view', 'pure'].includes(x.stateMutability)).map(({ name }) => name));
  return Object.keys(methodIdentifiers).filter((signature) => names.has(signature.slice(0, signature.indexOf('('))));
}

const problems = [];
const contractsHere = [...ownContracts(), ...fromLibraries.map((name) => [`${name}.sol`, name])];
for (const [file, name] of contractsHere) {
  const listed = Object.keys(table[name] ?? {});
  const built = changing(artifactOf(file, name));
  if (!(name in table)) problems.push(`${name}: not listed`);
  for (const signature of built) if (!listed.includes(signature)) problems.push(`${name}: ${signature} is not listed: who may call it?`);
  for (const signature of listed)
    if (!built.includes(signature)) problems.push(`${name}: ${signature} is listed, but there is no such function`);
}
const known = new Set(contractsHere.map(([, name]) => name));
for (const name of Object.keys(table)) if (!known.has(name)) problems.push(`${name}: listed, but there is no such contract`);

for (const problem of problems) console.error(`contracts/access.json: ${problem}`);
if (problems.length > 0) process.exitCode = 1;
