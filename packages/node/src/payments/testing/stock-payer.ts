import { PERMIT2, Submitter, connectRpc, generateKey, testDollarAbi } from '@commonweight/chain';
import {
  type Address,
  type CanonicalRequest,
  type Frame,
  type Hex32,
  type Payment,
  type PaymentResponse,
  type RunRequest,
  addressOfKey,
  parseFrame,
  parsePaymentResponse,
  parsePaymentSignature,
  paymentHeaders,
} from '@commonweight/protocol';
import { x402Client, x402HTTPClient } from '@x402/core/client';
import { toClientEvmSigner } from '@x402/evm';
import { BatchSettlementEvmScheme } from '@x402/evm/batch-settlement/client';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { UptoEvmScheme } from '@x402/evm/upto/client';
import { createPublicClient, encodeFunctionData, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { DevNetwork } from '../../worker/testing/dev-network.ts';
import { ask } from '../../worker/testing/payer.ts';

export interface PaidRun {
  /** HTTP statuses, the unpaid request's first. */
  readonly statuses: readonly number[];
  readonly frames: readonly Frame[];
  readonly settlement: PaymentResponse | undefined;
  readonly payment: Payment;
  readonly request: RunRequest;
  readonly header: string;
}

export interface StockPayer {
  readonly address: Address;
  readonly dollars: () => Promise<bigint>;
  /** A signed request for a payment, or for a quote. */
  readonly sign: (change: RunChange, payment?: Payment) => RunRequest;
  /** Asks what a run costs and signs a payment, without sending it. */
  readonly pay: (url: string, change: RunChange) => Promise<Pick<PaidRun, 'payment' | 'request' | 'header'>>;
  /** Asks, pays as a stock x402 client does (it corrects itself once), and reads the answer to its end. */
  readonly run: (url: string, change: RunChange) => Promise<PaidRun>;
}

export type RunChange = Pick<Parameters<typeof ask>[0], 'node' | 'modelId' | 'nonce'> & {
  readonly change?: Partial<CanonicalRequest>;
  readonly key?: Hex32;
};

/** Prices of every request here: what the nodes ask. */
const prices = { promptPrice: '1000000000', completionPrice: '2000000000' };

/** A new key with test dollars and an approved Permit2 that pays with the stock client of one scheme. The requests are signed by `requestKey`, as a gateway in between does. */
export async function newStockPayer(
  network: DevNetwork,
  scheme: 'exact' | 'upto' | 'batch-settlement',
  requestKey: Hex32 = generateKey(),
): Promise<StockPayer> {
  const { dev, chain } = network;
  const privateKey = generateKey();
  const address = addressOfKey(privateKey);
  await dev.fund(address, 10n ** 18n);
  await network.fundDollars(address, 10n ** 9n);
  const asset = chain.deployments.testDollar!;
  const rpc = connectRpc(dev.rpcUrl, dev.chainId);
  if (scheme === 'upto') {
    const data = encodeFunctionData({ abi: testDollarAbi, functionName: 'approve', args: [PERMIT2, 2n ** 256n - 1n] });
    await new Submitter({ rpc, privateKey }).send({ to: asset, data });
  }
  const client = createPublicClient({ transport: http(dev.rpcUrl), cacheTime: 0 });
  const signer = toClientEvmSigner(privateKeyToAccount(privateKey), client);
  const schemes = { exact: ExactEvmScheme, upto: UptoEvmScheme, 'batch-settlement': BatchSettlementEvmScheme };
  const stock = x402Client.fromConfig({
    schemes: [{ network: `eip155:${dev.chainId}`, client: new schemes[scheme](signer) }],
    spendControls: false,
  });
  const headers = new x402HTTPClient(stock);

  const sign = (change: RunChange, payment?: Payment): RunRequest =>
    ask({
      domain: chain.domain,
      key: requestKey,
      ...change,
      change: { ...prices, asset, ...(payment && { channel: payment.channel }), cumulativeLimit: String(10n ** 12n), ...change.change },
    });

  const quote = async (url: string, change: RunChange) => {
    const unpaid = await post(url, sign(change));
    return { status: unpaid.status, required: headers.getPaymentRequiredResponse((name) => unpaid.headers.get(name), await unpaid.json()) };
  };
  const pay = async (required: Parameters<typeof stock.createPaymentPayload>[0], change: RunChange) => {
    const payload = await stock.createPaymentPayload(required);
    const header = headers.encodePaymentSignatureHeader(payload)['PAYMENT-SIGNATURE']!;
    const payment = parsePaymentSignature(header);
    return { payload, header, payment, request: sign(change, payment) };
  };

  return {
    address,
    sign,
    dollars: () => client.readContract({ address: asset, abi: testDollarAbi, functionName: 'balanceOf', args: [address] }),
    pay: async (url, change) => {
      const { required } = await quote(url, change);
      const { payload: _, ...signed } = await pay(required, change);
      return signed;
    },
    run: async (url, change) => {
      const { status, required } = await quote(url, change);
      const statuses = [status];
      for (;;) {
        const { payload, ...signed } = await pay(required, change);
        const response = await post(url, signed.request, signed.header);
        statuses.push(response.status);
        const lines = (await response.text()).trim().split('\n');
        if (response.status === 402 && statuses.length === 2) {
          const { recovered } = await headers.processPaymentResult(payload, (name) => response.headers.get(name), response.status);
          if (recovered) continue;
        }
        const frames = lines.map((line) => parseFrame(JSON.parse(line)));
        const last = frames.at(-1);
        const settled = last?.type === 'receipt' ? last.settlement : undefined;
        return { statuses, frames, ...signed, settlement: settled === undefined ? undefined : parsePaymentResponse(settled) };
      }
    },
  };
}

export const post = (url: string, run: RunRequest, header?: string, signal?: AbortSignal): Promise<Response> =>
  fetch(`${url}/v1/run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(header && { [paymentHeaders.signature]: header }) },
    body: JSON.stringify(run),
    ...(signal && { signal }),
  });
