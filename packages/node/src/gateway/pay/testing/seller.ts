import {
  type Address,
  type Hex32,
  type PaymentOffer,
  type PaymentResponse,
  type Payment,
  type Receipt,
  maximumAmount,
  receiptAmount,
  signExactPayment,
} from '@commonweight/protocol';
import type { GatewayConfigInput } from '../../config.ts';
import type { GatewayLog } from '../../log.ts';
import type { GatewayChain } from '../../start-gateway.ts';
import { keys } from '../../testing/answer-fixture.ts';
import { modelId } from '../../testing/byte-model.ts';
import { say, worker } from '../../testing/chat.ts';
import type { Behaviour, FakeWorker, Sale } from '../../testing/fake-worker.ts';
import { type TestGateway, testGateway } from '../../testing/test-gateway.ts';
import { address } from './wallet.ts';

export const dollar = address('dollar');
export const splitterOf = (node: Address): Address => address(`splitter of ${node}`);

/** What a node may ask: one unit a prompt token, two a completion token. */
const price = { promptPrice: 1_000_000n, completionPrice: 2_000_000n };

export const honestOffer = (node: Address, scheme: PaymentOffer['scheme'], maximum: bigint): PaymentOffer => ({
  scheme,
  network: 'eip155:31337',
  amount: String(maximum),
  asset: dollar,
  payTo: splitterOf(node),
  maxTimeoutSeconds: 300,
  extra: { name: 'Test Dollar', version: '1', ...(scheme === 'batch-settlement' && { receiverAuthorizer: node, withdrawDelay: 900 }) },
});

export const honestSettlement = (receipt: Receipt, { scheme, amount }: Payment): PaymentResponse => {
  const billed = String(receiptAmount(receipt));
  const base = { success: true, transaction: '', network: 'eip155:31337' } as const;
  if (scheme === 'exact') return { ...base, amount: String(amount) };
  if (scheme === 'upto') return { ...base, amount: billed };
  return { ...base, extra: { chargedAmount: billed, channelState: { chargedCumulativeAmount: String(receipt.cumulativeAmount) } } };
};

/** A node that sells its runs honestly, but for what `sale` changes. */
export async function seller(name: string, sale: Partial<Sale> = {}, behaviour: Behaviour = say('Hello')): Promise<FakeWorker> {
  const node = await worker(behaviour, name);
  node.price = { modelId, asset: dollar, ...price };
  node.asked = { prompt: String(price.promptPrice), completion: String(price.completionPrice), asset: dollar };
  node.sale = {
    offers: (request) => {
      const maximum = maximumAmount(request, price);
      return [honestOffer(node.node, 'batch-settlement', maximum), honestOffer(node.node, 'exact', maximum)];
    },
    settle: honestSettlement,
    ...sale,
  };
  return node;
}

const caps = { maxPerRequest: '300', maxPerDay: '1000', maxDeposit: '600', depositStep: '400' };
export const walletSettings: Partial<GatewayConfigInput> = { asset: dollar, payments: { mode: 'wallet', ...caps } };
export const clientSettings: Partial<GatewayConfigInput> = { asset: dollar, payments: { mode: 'client' } };

/** A gateway over these nodes, and what it logged. */
export async function sellingGateway(
  workers: readonly FakeWorker[],
  settings: Partial<GatewayConfigInput>,
): Promise<TestGateway & { readonly logged: [string, Readonly<Record<string, unknown>>][] }> {
  const logged: [string, Readonly<Record<string, unknown>>][] = [];
  const write: GatewayLog['info'] = (event, fields = {}) => void logged.push([event, fields]);
  const payments: GatewayChain['payments'] = { splitterOf: async (node) => splitterOf(node), balanceOf: async () => 0n };
  const gateway = await testGateway(workers, { payments }, { info: write, warn: write, error: write }, settings);
  return Object.assign(gateway, { logged });
}

/** A signed `exact` payment, as a client of the gateway sends it. */
export const exactPayment = (offer: PaymentOffer, nonce: Hex32): string =>
  signExactPayment(offer, { nonce, validBefore: 2_000_000_000 }, keys.operator);
