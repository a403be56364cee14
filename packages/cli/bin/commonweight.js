#!/usr/bin/env node
import process from 'node:process';
import { programUrl } from './program.js';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `Commonweight needs Node >= 20.19, and this is Node ${process.versions.node}: install a newer one from https://nodejs.org.\n`,
  );
  process.exitCode = 2;
} else {
  const { main } = await import(programUrl());
  process.exitCode = await main(process.argv.slice(2));
}
