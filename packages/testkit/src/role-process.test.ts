import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { byzantineCommand } from './byzantine/byzantine-command.ts';
import { spawnRole } from './role-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'commonweight-role-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const logFile = join(folder, 'role.log');

function script(name: string, text: string): string[] {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(file, text);
  return [file];
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('spawnRole', () => {
  it('waits until the role serves, and ends it', async () => {
    const args = script(
      'good',
      "process.on('disconnect', () => {}); process.send({ type: 'ready', url: 'http://x', nodeId: '0x1' }); setInterval(() => {}, 1e6);",
    );
    const role = await spawnRole({ name: 'good', args, logFile });
    expect(role).toMatchObject({ url: 'http://x', nodeId: '0x1' });
    expect(isAlive(role.pid)).toBe(true);
    await role.stop();
    await role.stop();
    expect(isAlive(role.pid)).toBe(false);
  });

  it('says why a role did not start', async () => {
    const dead = script('dead', "console.error('no memory'); process.exit(3);");
    await expect(spawnRole({ name: 'dead', args: dead, logFile })).rejects.toThrow(/dead did not start: exit code 3[^]*no memory/);
    const told = script('told', "process.send({ type: 'failed', message: 'no chain' }); setInterval(() => {}, 1e6);");
    await expect(spawnRole({ name: 'told', args: told, logFile })).rejects.toThrow(/told did not start: no chain/);
  });

  it('a lying worker refuses an unknown strategy and a missing configuration', async () => {
    const missing = byzantineCommand('edit-token', join(folder, 'none.json'), logFile);
    await expect(spawnRole(missing)).rejects.toThrow(/edit-token did not start: [^]*none\.json/);
    const unknown = { ...missing, args: missing.args.map((argument) => (argument === 'edit-token' ? 'honesty' : argument)) };
    await expect(spawnRole(unknown)).rejects.toThrow(/expected --strategy \(tampered-model, /);
  });
});
