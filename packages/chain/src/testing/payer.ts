import { type Address, type Hex32, addressOfKey } from '@commonweight/protocol';
import type { PaymentPayload, PaymentRequirements } from '@x402/core/types';
import { toClientEvmSigner } from '@x402/evm';
import { BatchSettlementEvmScheme } from '@x402/evm/batch-settlement/client';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { UptoEvmScheme } from '@x402/evm/upto/client';
import { privateKeyToAccount } from 'viem/accounts';
import { contractCaller } from '../contract-caller.ts';
import { generateKey } from '../keys.ts';
import { testDollarAbi } from '../payments/abis.gen.ts';
import { PERMIT2 } from '../payments/addresses.ts';
import { type Rpc, connectRpc } from '../rpc.ts';
import { Submitter } from '../submitter.ts';
import { type TestNetwork } from './network.ts';
import { type TroubleChain } from './trouble-chain.ts';

export interface Payer {
  readonly address: Address;
  readonly privateKey: Hex32;
  /** What stock x402 clients would send for these requirements. */
  pay(requirements: PaymentRequirements): Promise<PaymentPayload>;
  /** A stock client scheme of its own channel: its vouchers add up when it is told of settlements. */
  channel(salt?: Hex32): BatchSettlementEvmScheme;
  dollars(): Promise<bigint>;
}

/** A new key with ether and 1,000 test dollars that has approved Permit2, and signs payments as stock x402 clients do. */
export async function newPayer(chain: TestNetwork | TroubleChain): Promise<Payer> {
  const privateKey = generateKey();
  const address = addressOfKey(privateKey);
  const { money } = chain;
  const { rpcUrl, chainId } = 'dev' in chain ? chain.dev : chain;
  await ('dev' in chain ? chain.dev.fund(address, 10n ** 19n) : chain.fund(address));
  await money.fundDollars(address, 10n ** 9n);
  const rpc = connectRpc(rpcUrl, chainId);
  const dollar = contractCaller(rpc, new Submitter({ rpc, privateKey }), money.testDollar, testDollarAbi);
  await dollar.write('approve', [PERMIT2, 2n ** 256n - 1n]);
  const signer = toClientEvmSigner(privateKeyToAccount(privateKey), rpc.client as never);
  const exact = new ExactEvmScheme(signer);
  const upto = new UptoEvmScheme(signer);
  const channel = (salt: Hex32 = `0x${'00'.repeat(32)}` as const): BatchSettlementEvmScheme =>
    new BatchSettlementEvmScheme(signer, { salt });
  const batch = channel();
  return {
    address,
    privateKey,
    channel,
    dollars: () => dollar.read('balanceOf', [address]),
    pay: async (requirements) => {
      const scheme = [exact, upto, batch].find((each) => each.scheme === requirements.scheme)!;
      const { payload } = await scheme.createPaymentPayload(2, requirements);
      return { x402Version: 2, accepted: requirements, payload };
    },
  };
}

export interface Quote {
  readonly scheme: 'exact' | 'upto' | 'batch-settlement';
  readonly rpc: Rpc;
  readonly asset: Address;
  readonly payTo: Address;
  readonly amount: bigint;
  readonly facilitator: Address;
}

/** What a resource server would ask for. */
export const requirementsOf = ({ scheme, rpc, asset, payTo, amount, facilitator }: Quote): PaymentRequirements => ({
  scheme,
  network: `eip155:${rpc.chain.id}`,
  asset,
  payTo,
  amount: String(amount),
  maxTimeoutSeconds: 300,
  extra: {
    name: 'Test Dollar',
    version: '1',
    ...(scheme === 'upto' ? { facilitatorAddress: facilitator } : {}),
    ...(scheme === 'batch-settlement' ? { receiverAuthorizer: facilitator, withdrawDelay: 900 } : {}),
  },
});
