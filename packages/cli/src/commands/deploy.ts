import type { Command } from 'commander';
import { resolve } from 'node:path';
import { integer } from '../integer-option.ts';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';

interface Options extends CommonOptions {
  readonly rpcUrl: string;
  readonly keyFile: string;
  readonly genesis: string;
  readonly out: string;
  readonly chainId?: number;
  readonly dryRun?: true;
}

export function addDeployCommand(program: Command, context: Context): void {
  const command = program
    .command('deploy')
    .description('Found a network: deploy every contract to a chain, from the genesis files, with addresses that anybody can recompute.')
    .requiredOption('--rpc-url <url>', 'JSON-RPC URL of the chain')
    .requiredOption('--key-file <file>', 'private key that pays the gas; it gets no rights')
    .option('--genesis <dir>', 'folder with allocation.json and parameters.json', 'genesis')
    .option('--out <file>', 'where the addresses are written', 'deployments.json')
    .option('--chain-id <n>', 'refuse any other chain than this one', integer(1, Number.MAX_SAFE_INTEGER))
    .option('--dry-run', 'say what would be sent, where it would be and what it would cost; send nothing')
    .addHelpText(
      'after',
      `
Examples:
  $ commonweight deploy --rpc-url https://rpc.example --key-file payer.key --dry-run
  $ commonweight deploy --rpc-url https://rpc.example --key-file payer.key --chain-id 8453

After a failure call it again: what is there is not sent twice. In the end the code at every address is compared with this program's, and no address
but the contracts themselves may hold a power.
Exit codes: 0 deployed and checked, 2 could not: the message says at which step and what to do.`,
    );
  withCommonOptions(command).action(async (options: Options) => {
    const output = begin(context, options);
    const { deployNetwork } = await import('../chain/deploy-network.ts');
    await deployNetwork(
      {
        rpcUrl: options.rpcUrl,
        keyFile: resolve(options.keyFile),
        genesis: resolve(options.genesis),
        out: resolve(options.out),
        chainId: options.chainId,
        dryRun: options.dryRun === true,
      },
      output,
    );
  });
}
