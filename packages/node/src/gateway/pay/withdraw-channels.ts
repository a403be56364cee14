import { join } from 'node:path';
import { type ChannelsClient, channelsClient } from '@commonweight/chain';
import type { Address, Hex32 } from '@commonweight/protocol';
import { type Clock, systemClock } from '../../platform/clock.ts';
import { connectDeployed } from '../../platform/connect-deployed.ts';
import { readKeyFile } from '../../platform/key-file.ts';
import type { GatewayConfig } from '../config.ts';
import { Wallet } from './wallet.ts';
import type { Channel } from './wallet-state.ts';

/** What became of one channel. Amounts in the asset's smallest unit. */
export interface Withdrawal {
  readonly channel: Hex32;
  readonly node: Address;
  readonly modelId: Hex32;
  /** `empty`: nothing is left; `started`: asked for now; `waiting`: asked for before; `taken`: paid back now. */
  readonly state: 'empty' | 'started' | 'waiting' | 'taken';
  /** What is not claimed. */
  readonly amount: bigint;
  /** Unix seconds from which it can be taken. */
  readonly from?: number;
}

/**
 * Takes back what lies unclaimed in the payment channels of a gateway that does not run: asks for it, and after the channel's delay, when it is called again, takes it.
 * A node can still claim what it was promised meanwhile. A frozen channel whose money is back is retired: its node is paid again, on a new one. The payer's account pays the gas.
 * @throws CommonweightError `locked` while the gateway runs, and those of the chain.
 */
export async function withdrawChannels(config: GatewayConfig, clock: Clock = systemClock): Promise<readonly Withdrawal[]> {
  const key = await readKeyFile(config.payerKeyFile);
  const { rpc, submitter, chainId } = await connectDeployed(config.chain, clock, undefined, key);
  const channels = channelsClient(rpc, submitter);
  const none = { maxPerRequest: 0n, maxPerDay: 0n, maxDeposit: 0n, depositStep: 0n };
  const noMoney = (): never => {
    throw new Error('a wallet that is emptied signs nothing');
  };
  const folder = join(config.dataDir, 'wallet');
  const balanceOf = async (channel: Hex32): Promise<bigint> => (await channels.channel(channel)).balance;
  const wallet = await Wallet.open({ folder, key, chainId, caps: none, clock, draw32: noMoney, balanceOf });
  try {
    const done: Withdrawal[] = [];
    for (const channel of wallet.channels) {
      const { timestamp } = await rpc.call({ what: 'block' }, (c) => c.getBlock());
      const withdrawal = await withdraw(channel, channels, Number(timestamp));
      done.push(withdrawal);
      await wallet.readBalance(channel);
      // a deposit that can still come would lie in a channel that nobody looks at
      const back = (withdrawal.state === 'empty' || withdrawal.state === 'taken') && channel.deposits.pending(Number(timestamp)) === 0n;
      if (back && channel.frozen && !channel.retired) await wallet.retire(channel);
    }
    return done;
  } finally {
    await wallet.close();
  }
}

async function withdraw({ id, node, modelId, config }: Channel, channels: ChannelsClient, now: number): Promise<Withdrawal> {
  const { balance, totalClaimed, withdrawRequestedAt } = await channels.channel(id);
  const amount = balance - totalClaimed;
  const withdrawal = { channel: id, node, modelId, amount };
  if (amount === 0n) return { ...withdrawal, state: 'empty' };
  if (withdrawRequestedAt === 0) {
    await channels.startWithdrawal(config, amount);
    return { ...withdrawal, state: 'started', from: now + config.withdrawDelay };
  }
  const from = withdrawRequestedAt + config.withdrawDelay;
  if (now < from) return { ...withdrawal, state: 'waiting', from };
  await channels.finishWithdrawal(config);
  return { ...withdrawal, state: 'taken' };
}
