import { type Address, type Hex32 } from '@commonweight/protocol';
import { stakingAbi, tokenAbi } from './abis.gen.ts';
import { checkChainId, checkDeployments } from './check-chain.ts';
import { contractCaller } from './contract-caller.ts';
import { type Deployments } from './deployments.ts';
import { ChainError } from './errors.ts';
import { readEvents } from './logs.ts';
import { connectRpc } from './rpc.ts';
import { Submitter } from './submitter.ts';
import { type Hex } from './viem.ts';

/** All amounts in units of 1e-18 tokens. */
export interface OperatorStake {
  /** The operator's own, and what others delegated: active, and on its way out. All of it can be slashed. */
  readonly own: { readonly active: bigint; readonly thawing: bigint };
  readonly delegated: { readonly active: bigint; readonly thawing: bigint };
  /** Locked for receipts whose dispute window is open. */
  readonly reserved: bigint;
  /** Unix seconds at which the last of those closes; undefined when nothing is reserved. */
  readonly reservedUntil: number | undefined;
  /** What can be reserved now. */
  readonly free: bigint;
  readonly disputes: number;
}

export interface StakePosition {
  /** What the holder's active shares are worth. */
  readonly active: bigint;
  /**
   * Oldest first, and what each is worth now: less after a slash that comes before its withdrawal. One that is due can be withdrawn at once; it may be gone
   * before a fault is shown.
   */
  readonly thaws: readonly { readonly amount: bigint; readonly until: number; readonly due: boolean }[];
}

export interface StakingClient {
  readonly account: Address | undefined;
  readonly operator: (operator: Address) => Promise<OperatorStake>;
  /** Of a holder with an operator: his own stake when he is the operator, else his delegation. */
  readonly position: (operator: Address, holder: Address) => Promise<StakePosition>;
  /** Adds to an operator's own stake, approving the tokens first where needed. */
  readonly stake: (operator: Address, amount: bigint) => Promise<Hex>;
  readonly delegate: (operator: Address, amount: bigint) => Promise<Hex>;
  /** Starts the way out of `amount` of the caller's stake or delegation; `all` of it without one. */
  readonly thaw: (operator: Address, amount?: bigint) => Promise<Hex>;
  /** Pays out every thaw that is due; throws `nothing_due` with the time when there is none. */
  readonly withdraw: (operator: Address) => Promise<Hex>;
}

export interface StakingOptions {
  readonly rpcUrl: string;
  readonly deployments: Deployments;
  readonly privateKey?: Hex32 | undefined;
}

export async function connectStaking({ rpcUrl, deployments, privateKey }: StakingOptions): Promise<StakingClient> {
  const rpc = connectRpc(rpcUrl, deployments.chainId);
  await checkChainId(rpc);
  await checkDeployments(rpc, deployments);
  const submitter = privateKey === undefined ? undefined : new Submitter({ rpc, privateKey });
  const account = submitter?.account.address;
  const staking = contractCaller(rpc, submitter, deployments.staking, stakingAbi);
  const token = contractCaller(rpc, submitter, deployments.token, tokenAbi);
  const isOwn = (operator: Address, holder: Address | undefined): boolean => operator === holder;

  const spend = async (name: 'stake' | 'delegate', operator: Address, amount: bigint): Promise<Hex> => {
    if (account !== undefined && (await token.read('allowance', [account, deployments.staking])) < amount)
      await token.write('approve', [deployments.staking, amount]);
    return (await staking.write(name, [operator, amount])).transactionHash;
  };
  const reservedUntil = async (operator: Address): Promise<number> => {
    const from = { address: deployments.staking, abi: stakingAbi, args: { operator }, fromBlock: deployments.startBlock };
    const [reserved, released] = await Promise.all([
      readEvents(rpc, { ...from, eventName: 'Reserved' }),
      readEvents(rpc, { ...from, eventName: 'Released' }),
    ]);
    const gone = new Set(released.map(({ args }) => args.receipt));
    return Math.max(0, ...reserved.filter(({ args }) => !gone.has(args.receipt)).map(({ args }) => Number(args.until)));
  };
  const position = async (operator: Address, holder: Address): Promise<StakePosition & { readonly shares: bigint }> => {
    const key = [operator, holder, isOwn(operator, holder)] as const;
    const [[shares, active], thaws, [own, delegated], { timestamp }] = await Promise.all([
      staking.read('holdingOf', key),
      staking.read('thawsOf', key),
      staking.read('operatorInfo', [operator]),
      rpc.call({ what: 'block' }, (c) => c.getBlock()),
    ]);
    const { thawing } = key[2] ? own : delegated;
    // shares of an older generation were slashed away
    const worth = (thaw: { readonly shares: bigint; readonly generation: bigint }): bigint =>
      thaw.generation === thawing.generation ? (thaw.shares * thawing.tokens) / thawing.shares : 0n;
    return {
      shares,
      active,
      thaws: thaws.map((thaw) => ({ amount: worth(thaw), until: Number(thaw.until), due: thaw.until <= timestamp })),
    };
  };
  const signer = (): Address => {
    if (account === undefined) throw new ChainError('chain_read_only', 'stake is moved by its holder: connect with a private key');
    return account;
  };
  return {
    account,
    operator: async (operator) => {
      const [[own, delegated, reserved, disputes], free] = await Promise.all([
        staking.read('operatorInfo', [operator]),
        staking.read('freeStake', [operator]),
      ]);
      return {
        own: { active: own.active.tokens, thawing: own.thawing.tokens },
        delegated: { active: delegated.active.tokens, thawing: delegated.thawing.tokens },
        reserved,
        reservedUntil: reserved === 0n ? undefined : await reservedUntil(operator),
        free,
        disputes: Number(disputes),
      };
    },
    position,
    stake: (operator, amount) => spend('stake', operator, amount),
    delegate: (operator, amount) => spend('delegate', operator, amount),
    thaw: async (operator, amount) => {
      const holder = signer();
      const { shares, active } = await position(operator, holder);
      if (amount !== undefined && amount > active)
        throw new ChainError('too_much', `${holder} has ${active} units of stake with ${operator}, expected at least ${amount}`);
      const part = amount === undefined || amount === active ? shares : (amount * shares) / active;
      return (await staking.write('thaw', [operator, isOwn(operator, holder), part])).transactionHash;
    },
    withdraw: async (operator) => {
      const holder = signer();
      const [first] = (await position(operator, holder)).thaws;
      if (!first?.due)
        throw new ChainError(
          'nothing_due',
          first === undefined
            ? `${holder} has nothing on its way out of the stake with ${operator}; thaw some first`
            : `the first thaw of ${holder} with ${operator} is due at ${new Date(first.until * 1000).toISOString()}`,
          { details: { until: first?.until } },
        );
      return (await staking.write('withdraw', [operator, isOwn(operator, holder)])).transactionHash;
    },
  };
}
