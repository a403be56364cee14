import { open } from 'node:fs/promises';
import process from 'node:process';

/** Moments of one append at which a process can be killed. */
export const dieSteps = ['before-write', 'in-header', 'in-payload', 'after-write', 'before-sync', 'after-sync'] as const;

const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  // the signal is on its way; nothing after this line may run
  for (;;);
};

/** Kills this process at `step` of its append number `at`. */
export async function dieAt(step: string, at: number): Promise<void> {
  let appends = 0;
  const probe = await open(process.execPath, 'r');
  const prototype = Object.getPrototypeOf(probe) as { write: (...input: never[]) => Promise<unknown>; datasync: () => Promise<void> };
  await probe.close();
  const { write, datasync } = prototype;
  prototype.write = async function (this: unknown, ...input: never[]) {
    if (++appends === at && step !== 'before-sync' && step !== 'after-sync') {
      const [data, , length, position] = input as unknown as [Buffer, number, number, number];
      const part = { 'before-write': 0, 'in-header': 7, 'in-payload': length - 9, 'after-write': length }[step]!;
      await write.apply(this, [data, 0, part, position] as never);
      die();
    }
    return write.apply(this, input);
  };
  prototype.datasync = async function (this: unknown) {
    if (appends === at && step === 'before-sync') die();
    await datasync.apply(this);
    if (appends === at && step === 'after-sync') die();
  };
}
