import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RoleCommand, RoleProcess } from './role-process.ts';
import { SupervisedRole } from './supervised-role.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'commonweight-role-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let scripts = 0;
function command(code: string): RoleCommand {
  const script = join(folder, `${scripts++}.mjs`);
  writeFileSync(script, code);
  return { name: 'role', args: [script], logFile: join(folder, 'role.log') };
}
const SERVES = `process.on('disconnect', () => process.exit()); process.on('SIGTERM', () => process.exit()); process.send({ type: 'ready', url: 'http://x:1' });`;

describe('RoleProcess', () => {
  test('says ready, and ends on SIGTERM', async () => {
    const role = new RoleProcess(command(SERVES));
    expect(await role.ready).toEqual({ type: 'ready', url: 'http://x:1' });
    await role.stop();
    expect(await role.ended).toBe('exit code 0');
  });

  test('a role that cannot start says why, and its log is named', async () => {
    const role = new RoleProcess(
      command(`console.error('to the log'); process.send({ type: 'failed', message: 'no key.' }, () => process.exit(2));`),
    );
    await expect(role.ready).rejects.toThrow(`role did not start: no key. Its log is ${join(folder, 'role.log')}.`);
    await role.ended;
    expect(readFileSync(join(folder, 'role.log'), 'utf8')).toContain('to the log');
  });

  test('a role that dies without a word is reported', async () => {
    const role = new RoleProcess(command('process.exit(3)'));
    await expect(role.ready).rejects.toThrow('it ended (exit code 3)');
  });
});

describe('SupervisedRole', () => {
  test('a killed role comes back, and not after stop', async () => {
    const pids: (number | undefined)[] = [];
    const crashes: string[] = [];
    let back!: () => void;
    const cameBack = new Promise<void>((resolve) => (back = resolve));
    const events = {
      onReady: (_: unknown, first: boolean, pid: number | undefined): void => {
        pids.push(pid);
        if (!first) back();
      },
      onCrash: (how: string): void => void crashes.push(how),
    };
    const own = command(SERVES);
    const role = new SupervisedRole(() => own, events);
    await role.start();
    process.kill(role.pid!, 'SIGKILL');
    await cameBack;
    expect(crashes).toEqual(['SIGKILL']);
    expect(new Set(pids).size).toBe(2);
    await role.stop();
    expect(() => process.kill(pids[1]!, 0)).toThrow('ESRCH');
  });

  test('a role that never starts is given up with its reason', async () => {
    const own = command(`process.send({ type: 'failed', message: 'no key.' }, () => process.exit(2));`);
    const role = new SupervisedRole(() => own, { onReady: () => undefined, onCrash: () => undefined });
    await expect(role.start()).rejects.toThrow('no key.');
    await role.stop();
  });
});
