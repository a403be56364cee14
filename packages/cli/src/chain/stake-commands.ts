import { ETHER, type StakingClient, connectStaking, formatAmount, parseAmount } from '@commonweight/chain';
import { type Address, addressOfKey } from '@commonweight/protocol';
import { UsageError } from '../fault.ts';
import type { Output } from '../output.ts';
import { parseAddress } from './parse-address.ts';
import { type SignerOptions, readSigner } from './signer.ts';
import { findTarget } from './target.ts';

/** What the sub-commands of `stake` do. */
export interface StakeCommands {
  readonly show: () => Promise<void>;
  readonly add: (amount: string) => Promise<void>;
  readonly delegate: (amount: string) => Promise<void>;
  readonly thaw: (amount: string) => Promise<void>;
  readonly withdraw: () => Promise<void>;
}

const tokens = (units: bigint): string => formatAmount(units, ETHER);
const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

export function stakeCommands(options: SignerOptions & { readonly operator?: string }, output: Output): StakeCommands {
  const named = options.operator === undefined ? undefined : parseAddress(options.operator);
  const connect = async (): Promise<{ client: StakingClient; operator: Address; holder: Address }> => {
    const privateKey = await readSigner(options);
    const client = await connectStaking({ ...(await findTarget(options)), privateKey });
    const holder = addressOfKey(privateKey);
    return { client, operator: named ?? holder, holder };
  };
  const moved = (event: string, transaction: string, sentence: string): void => {
    output.event(event, { transaction });
    output.print(`${sentence} (transaction ${transaction})`);
  };
  return {
    show: async () => {
      // whoever names an operator needs no key to look
      const signs = named === undefined || options.keyFile !== undefined || options.dev === true;
      const holder = signs ? addressOfKey(await readSigner(options)) : undefined;
      const client = await connectStaking(await findTarget(options));
      const operator = named ?? holder!;
      await showOperator(client, operator, output);
      if (holder !== undefined) await showPosition(client, operator, holder, output);
    },
    add: async (amount) => {
      const { client, operator } = await connect();
      moved('staked', await client.stake(operator, parseAmount(amount, ETHER)), `${amount} tokens are own stake of ${operator}`);
    },
    delegate: async (amount) => {
      const { client, operator, holder } = await connect();
      if (operator === holder)
        throw new UsageError('an operator adds to its own stake (commonweight stake add); name another one with --operator.');
      moved('delegated', await client.delegate(operator, parseAmount(amount, ETHER)), `${amount} tokens are staked with ${operator}`);
    },
    thaw: async (amount) => {
      const { client, operator, holder } = await connect();
      const units = amount === 'all' ? undefined : parseAmount(amount, ETHER);
      moved('thawing', await client.thaw(operator, units), `${amount === 'all' ? 'all' : `${amount} tokens`} of the stake thaws`);
      await showPosition(client, operator, holder, output);
    },
    withdraw: async () => {
      const { client, operator } = await connect();
      moved('withdrawn', await client.withdraw(operator), 'what was due is withdrawn');
    },
  };
}

async function showOperator(client: StakingClient, operator: Address, output: Output): Promise<void> {
  const { own, delegated, reserved, reservedUntil, free, disputes } = await client.operator(operator);
  const until = reservedUntil === undefined ? undefined : timeOf(reservedUntil);
  output.event('operator', {
    operator,
    own: { active: tokens(own.active), thawing: tokens(own.thawing) },
    delegated: { active: tokens(delegated.active), thawing: tokens(delegated.thawing) },
    reserved: tokens(reserved),
    ...(until !== undefined && { reservedUntil: until }),
    free: tokens(free),
    disputes,
  });
  output.print(`operator   ${operator}`);
  output.print(`own        ${tokens(own.active)}, thawing ${tokens(own.thawing)}`);
  output.print(`delegated  ${tokens(delegated.active)}, thawing ${tokens(delegated.thawing)}`);
  output.print(`reserved   ${tokens(reserved)}${until === undefined ? '' : `, the last until ${until}`}`);
  output.print(`free       ${tokens(free)}`);
  if (disputes > 0) output.print(`disputes   ${disputes} open: withdrawals are frozen`);
}

async function showPosition(client: StakingClient, operator: Address, holder: Address, output: Output): Promise<void> {
  const { active, thaws } = await client.position(operator, holder);
  const list = thaws.map(({ amount, until, due }) => ({ amount: tokens(amount), until: timeOf(until), due }));
  output.event('position', { operator, holder, active: tokens(active), thaws: list });
  output.print(`yours      ${tokens(active)}`);
  for (const { amount, until, due } of list)
    output.print(due ? `due        ${amount} since ${until}` : `thawing    ${amount} until ${until}`);
}
