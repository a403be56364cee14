// A worker as a process of its own that kills itself (SIGKILL) at one step of one journal record. Arguments: configuration file, then optionally
// the record's type, the step, and which record of that type.
import { Buffer } from 'node:buffer';
import { open } from 'node:fs/promises';
import process from 'node:process';
import { readWorkerConfig, startWorker } from '@commonweight/node/worker';

const [file, type, step, count] = process.argv.slice(2);
const die = () => {
  process.kill(process.pid, 'SIGKILL');
  // the signal is on its way; nothing after this line may run
  for (;;);
};

if (type) {
  const probe = await open(process.execPath, 'r');
  const prototype = Object.getPrototypeOf(probe);
  await probe.close();
  const { write, datasync } = prototype;
  let seen = 0;
  /** The file whose record is to die, between its write and its end. */
  let target;
  prototype.write = async function (data, offset, length, position) {
    const isWanted = Buffer.isBuffer(data) && data.includes(`"type":"${type}"`);
    if (isWanted && ++seen === Number(count)) {
      if (step === 'before-write') die();
      if (step === 'in-payload') {
        await write.call(this, data, offset, length >> 1, position);
        die();
      }
      target = this;
    }
    return write.call(this, data, offset, length, position);
  };
  prototype.datasync = async function () {
    if (target === this && step === 'before-sync') die();
    await datasync.call(this);
    if (target === this && step === 'after-sync') die();
  };
}

const worker = await startWorker(await readWorkerConfig(file));
process.stdout.write(`${worker.url}\n`);
