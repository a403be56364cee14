import { join } from 'node:path';
import { CommonweightError, type Hex32 } from '@commonweight/protocol';
import type { Clock } from '../../platform/clock.ts';
import type { Lifetime } from '../../platform/lifetime.ts';
import type { GatewayConfig } from '../config.ts';
import type { GatewayLog } from '../log.ts';
import { ClientPayments } from './client-payments.ts';
import type { Payments } from './payments.ts';
import type { PaymentChain } from './run-price.ts';
import { Wallet } from './wallet.ts';
import { WalletPayments } from './wallet-payments.ts';

export interface OpenPaymentsOptions {
  readonly config: Pick<GatewayConfig, 'dataDir' | 'payments'>;
  readonly key: Hex32;
  /** Absent where there is nothing to pay with. */
  readonly chain: PaymentChain | undefined;
  readonly free: Payments;
  readonly clock: Clock;
  readonly draw32: () => Hex32;
  readonly log: GatewayLog;
}

/** How requests are paid, as the configuration says. @returns the way for one request, given its `PAYMENT-SIGNATURE` */
export async function openPayments(
  { config, key, chain, free, clock, draw32, log }: OpenPaymentsOptions,
  lifetime: Lifetime,
): Promise<(header: string | undefined) => Payments> {
  const { payments } = config;
  if (payments.mode === 'none') return () => free;
  if (!chain) {
    throw new CommonweightError(`payments.mode: ${payments.mode} needs a network that was deployed with its settlement contract`, {
      code: 'config',
      field: 'payments.mode',
    });
  }
  switch (payments.mode) {
    case 'client':
      return (header) => new ClientPayments({ chain, log, free, header });
    case 'wallet': {
      const caps = {
        maxPerRequest: BigInt(payments.maxPerRequest),
        maxPerDay: BigInt(payments.maxPerDay),
        maxDeposit: BigInt(payments.maxDeposit),
        depositStep: BigInt(payments.depositStep),
      };
      const { balanceOf, chainId } = chain;
      const wallet = await Wallet.open({ folder: join(config.dataDir, 'wallet'), key, chainId, caps, clock, draw32, balanceOf });
      lifetime.defer(() => wallet.close());
      const paying = new WalletPayments({ wallet, chain, log, free });
      return () => paying;
    }
  }
}
