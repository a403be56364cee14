// `node scripts/complete-lockfile.mjs [--check]`: adds the optional packages of other platforms that the registry used for locking did not have.
// Removes what is marked extraneous. `npm install` leaves such packages out of package-lock.json, and `npm ci` then refuses the lockfile as incomplete (npm/cli#4828 and its kin).
// Each entry is version, platform and `optional`: a machine of that platform fetches it, every other one skips it.
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

const file = new URL('../package-lock.json', import.meta.url);
const before = readFileSync(file, 'utf8');
const lock = JSON.parse(before);
const systems = {
  darwin: 'darwin',
  linux: 'linux',
  win32: 'win32',
  android: 'android',
  freebsd: 'freebsd',
  netbsd: 'netbsd',
  openbsd: 'openbsd',
  openharmony: 'openharmony',
  aix: 'aix',
  sunos: 'sunos',
};
const processors = {
  x64: 'x64',
  amd64: 'x64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  loong64: 'loong64',
  mips64el: 'mips64el',
};

/** `os`, `cpu` and `libc` as the words of a platform package's name tell them; undefined when they do not. */
function platformOf(name) {
  const words = name.split('/').pop().split('-');
  const os = words.map((word) => systems[word]).find(Boolean);
  const cpu = words.map((word) => processors[word]).find(Boolean);
  if (!os || !cpu) return undefined;
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : os === 'linux' && words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : undefined;
  return { cpu: [cpu], os: [os], ...(libc && { libc }) };
}

const missing = [];
// what npm's resolver left over and no `npm ci` installs: it would look like an unfinished install for ever
const extraneous = Object.keys(lock.packages).filter((path) => lock.packages[path].extraneous);
for (const path of extraneous) delete lock.packages[path];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (lock.packages[`${path}/node_modules/${name}`] || lock.packages[`node_modules/${name}`]) continue;
    const platform = platformOf(name);
    if (!platform || !/^\d+\.\d+\.\d+$/.test(version)) continue;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...platform,
      ...(entry.dev && { dev: true }),
      license: entry.license,
      optional: true,
    };
    missing.push(`${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
const after = `${JSON.stringify(lock, null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (missing.length + extraneous.length > 0) {
    console.error(
      `package-lock.json lacks ${missing.length} packages of other platforms and has ${extraneous.length} that nobody needs (${[...missing, ...extraneous][0]}): run node scripts/complete-lockfile.mjs`,
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, after);
  console.log(`${missing.length} packages of other platforms added, ${extraneous.length} extraneous removed`);
}
