import { describe, expect, test } from 'vitest';
import { main } from './main.ts';

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await main(argv, { out: (text) => void (out += text), err: (text) => void (err += text), terminal: false });
  return { code, out, err };
}

describe('command line', () => {
  test('--help of the program and of every command shows examples', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    const commands = [...out.matchAll(/^ {2}([a-z]+) /gmu)].map((match) => match[1]!).filter((name) => name !== 'help');
    expect(commands).toEqual([
      'dev',
      'verify',
      'replay',
      'model',
      'worker',
      'gateway',
      'deploy',
      'gov',
      'wallet',
      'withdraw',
      'stake',
      'earnings',
    ]);
    for (const command of commands.filter((name) => name !== 'model')) {
      const help = await run(command, '--help');
      expect(help.code).toBe(0);
      expect(help.out).toMatch(/Examples?:\n {2}\$ .*commonweight/u);
      expect(help.out).toContain('Exit codes');
    }
  });

  test('--version is the package version', async () => {
    expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/u);
  });

  test.each([[['nonsense']], [['dev', '--port', '70000']], [['dev', '--nodes', '0']], [['verify']], [['worker']]])(
    '%j is bad usage: exit code 2',
    async (argv) => {
      const { code, err } = await run(...argv);
      expect(code).toBe(2);
      expect(err).not.toContain('    at ');
      expect(err).not.toBe('');
    },
  );

  test('a file that is not there is one sentence', async () => {
    const { code, err } = await run('verify', '/nowhere/answer.json');
    expect(code).toBe(2);
    expect(err).toBe('/nowhere/answer.json is not there: check the path.\n');
  });

  test('with --json an error is an event', async () => {
    const { out } = await run('verify', '--json', '/nowhere/answer.json');
    expect(JSON.parse(out)).toMatchObject({ event: 'error', code: 'system' });
  });
});
