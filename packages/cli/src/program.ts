import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { addDeployCommand } from './commands/deploy.ts';
import { addDevCommand } from './commands/dev.ts';
import { addEarningsCommand } from './commands/earnings.ts';
import { addGatewayCommand } from './commands/gateway.ts';
import { addGovCommand } from './commands/gov.ts';
import { addModelCommand } from './commands/model.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addStakeCommand } from './commands/stake.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { addWalletCommand } from './commands/wallet.ts';
import { addWithdrawCommand } from './commands/withdraw.ts';
import { addWorkerCommand } from './commands/worker.ts';
import type { Context } from './context.ts';

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

export function createProgram(context: Context): Command {
  const program = new Command('commonweight')
    .description('AI models hosted, run and checked by independent nodes: every answer can be re-executed bit for bit.')
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: context.streams.out, writeErr: context.streams.err })
    .showHelpAfterError('(commonweight --help lists the commands)')
    .addHelpText(
      'after',
      `
Examples:
  $ commonweight dev                      a whole network on this machine, then a URL to chat with
  $ commonweight verify answer.json       re-execute a saved answer and say what was checked
  $ commonweight replay answer.json       print the answer's text again, from the model alone

Exit codes: 0 done, verified; 1 refuted, failed; 2 could not check, bad usage.`,
    );
  const add = [
    addDevCommand,
    addVerifyCommand,
    addReplayCommand,
    addModelCommand,
    addWorkerCommand,
    addGatewayCommand,
    addDeployCommand,
    addGovCommand,
    addWalletCommand,
    addWithdrawCommand,
    addStakeCommand,
    addEarningsCommand,
  ];
  for (const one of add) one(program, context);
  return program;
}
