import { join } from 'node:path';
import { devGenesis, generateKey, settlementClient, stakingAbi } from '@commonweight/chain';
import {
  type Address,
  type Hex32,
  type ModelId,
  type RunRequest,
  modelIdOf,
  parseFrame,
  parsePaymentRequired,
  parsePaymentResponse,
  paymentHeaders,
  receiptAmount,
  requestHashOf,
} from '@commonweight/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerConfig } from '../worker/config.ts';
import { type RunningWorker, startWorker } from '../worker/start-worker.ts';
import { type DevNetwork, startDevNetwork } from '../worker/testing/dev-network.ts';
import { postEnd } from '../worker/testing/frames.ts';
import { ask, signEnd } from '../worker/testing/payer.ts';
import { RecordingLog } from '../worker/testing/recording-log.ts';
import { unhurried, writeTinyPackage } from '../worker/testing/tiny-package.ts';
import { type EarningsChain, readEarnings } from './earnings.ts';
import { type PaidRun, newStockPayer, post } from './testing/stock-payer.ts';

let network: DevNetwork;
let modelId: ModelId;
let config: WorkerConfig;
let worker: RunningWorker;
let asset: Address;
const log = new RecordingLog();
let nonce = 0;
const disputeWindow = Number(devGenesis(`0x${'11'.repeat(20)}` as Address).parameters.find(({ name }) => name === 'disputeWindow')!.value);

beforeAll(async () => {
  network = await startDevNetwork();
  asset = network.chain.deployments.testDollar!;
  const folder = join(network.folder, 'model');
  modelId = modelIdOf((await writeTinyPackage(folder, unhurried)).manifest);
  // a dollar for a thousand prompt tokens, two for completion tokens: 4 + 2 * 8 thousandths at most
  config = await network.worker('one', [folder], {
    asset,
    promptPrice: '1000000000',
    completionPrice: '2000000000',
    payments: { claimIntervalMs: 100 },
  });
  worker = await startWorker(config, { log });
}, 120_000);

afterAll(async () => {
  await worker?.stop();
  await network?.stop();
});

const run = () => ({ node: worker.nodeId, modelId, nonce: nonce++ });
const receiptOf = ({ frames }: PaidRun) => {
  const last = frames.at(-1)!;
  if (last.type !== 'receipt') throw new Error(`expected a receipt, got ${JSON.stringify(last)}`);
  return last.receipt;
};
const earningsChain = (): EarningsChain => {
  const { rpc, deployments } = network.chain;
  const settlement = settlementClient(rpc, deployments.settlement);
  return {
    coveredOf: (receipt) => settlement.coveredOf(receipt),
    releasable: async (node, id, token) => settlement.releasable(await settlement.splitterOf(node, id), token),
    freeStake: (node) =>
      rpc.call({ what: 'stake' }, (c) =>
        c.readContract({ address: deployments.staking, abi: stakingAbi, functionName: 'freeStake', args: [node] }),
      ),
  };
};
const earningOf = async ({ request }: RunRequest) =>
  (await readEarnings(config.dataDir, earningsChain())).find(({ requestHash }) => requestHash === requestHashOf(request));

describe('a run that costs money', () => {
  it('is offered in three ways to somebody who has not paid', async () => {
    const question = ask({ domain: network.chain.domain, ...run(), change: { promptPrice: '1000000000', completionPrice: '2000000000' } });
    const answer = await post(worker.url, question);
    expect([answer.status, await answer.json()]).toMatchObject([402, { code: 'payment_required' }]);
    const { accepts, resource } = parsePaymentRequired(answer.headers.get(paymentHeaders.required)!);
    expect(resource.url).toBe(`${worker.url}/v1/run`);
    expect(accepts.map(({ scheme, amount }) => [scheme, amount])).toEqual([
      ['batch-settlement', '20000'],
      ['upto', '20000'],
      ['exact', '20000'],
    ]);
    expect(new Set(accepts.map(({ payTo }) => payTo)).size).toBe(1);
  });

  it.each(['exact', 'upto', 'batch-settlement'] as const)('is paid by a stock client: %s', async (scheme) => {
    const payer = await newStockPayer(network, scheme);
    const before = await payer.dollars();
    const paid = await payer.run(worker.url, run());
    const receipt = receiptOf(paid);
    expect(paid.statuses).toEqual([402, 200]);
    expect(receipt.completionTokens).toBeGreaterThan(0);
    expect(receipt).toMatchObject({ asset, channel: paid.payment.channel, cumulativeAmount: receiptAmount(receipt) });
    expect(paid.settlement).toMatchObject({ success: true, payer: payer.address });
    if (scheme === 'batch-settlement') {
      expect(paid.settlement).toMatchObject({
        transaction: '',
        extra: {
          chargedAmount: String(receipt.cumulativeAmount),
          channelState: { chargedCumulativeAmount: String(receipt.cumulativeAmount) },
        },
      });
      return;
    }
    const amount = scheme === 'exact' ? 20_000n : receipt.cumulativeAmount;
    expect(paid.settlement).toMatchObject({ amount: String(amount) });
    expect(before - (await payer.dollars())).toBe(amount);
    // the same authorization pays for nothing else
    const again = await post(worker.url, payer.sign(run(), paid.payment), paid.header);
    expect([again.status, await again.json()]).toMatchObject([
      402,
      { code: expect.stringMatching(/payment_used|payment_invalid/) as string },
    ]);
  });

  it('is refused to a payment that is not for it', async () => {
    const payer = await newStockPayer(network, 'batch-settlement');
    const { payment, header } = await payer.run(worker.url, run());
    const wrong = [
      { change: { channel: `0x${'11'.repeat(32)}` as Hex32 } },
      { change: { asset: `0x${'11'.repeat(20)}` as Address } },
      // another maximum than the one that was offered
      { change: { maxTokens: 9 } },
    ];
    for (const each of wrong) {
      const answer = await post(worker.url, payer.sign({ ...run(), ...each }, payment), header);
      expect([answer.status, await answer.json()]).toMatchObject([402, { code: 'payment_invalid' }]);
      expect(parsePaymentRequired(answer.headers.get(paymentHeaders.required)!).accepts).toHaveLength(3);
    }
    const garbage = await post(worker.url, payer.sign(run(), payment), 'e30=');
    expect([garbage.status, await garbage.json()]).toMatchObject([402, { code: 'payment_invalid' }]);
    // a header that was used: its voucher is spent
    const replayed = await post(worker.url, payer.sign(run(), payment), header);
    expect([replayed.status, await replayed.json()]).toMatchObject([402, { code: 'payment_stale' }]);
  });

  it('and eleven others at once are paid by one stock client on one channel', async () => {
    const payer = await newStockPayer(network, 'batch-settlement');
    await payer.run(worker.url, run());
    // the client's twelve share one memory of the channel: an answer of another may change it between a correction and its one retry, so a caller asks again
    const untilPaid = async (): ReturnType<typeof payer.run> => {
      for (let attempt = 0; attempt < 5; attempt++) {
        const answer = await payer.run(worker.url, run());
        if (answer.statuses.at(-1) === 200) return answer;
        expect(answer.statuses.at(-1)).toBe(402);
      }
      throw new Error('refused five times');
    };
    const paid = await Promise.all(Array.from({ length: 12 }, untilPaid));
    expect(paid.filter(({ statuses }) => statuses.length === 3).length).toBeGreaterThan(0);
    const cumulative = paid.map((each) => receiptOf(each).cumulativeAmount).toSorted((a, b) => Number(a - b));
    expect(new Set(cumulative).size).toBe(12);
    const last = await payer.run(worker.url, run());
    expect(receiptOf(last).cumulativeAmount - receiptAmount(receiptOf(last))).toBe(cumulative.at(-1));
  });

  it('costs what was delivered when its payer ends it', async () => {
    const requestKey = generateKey();
    const payer = await newStockPayer(network, 'batch-settlement', requestKey);
    const { request, header } = await payer.pay(worker.url, { ...run(), change: { maxTokens: 4000 } });
    const end = (tokens: number) => postEnd(worker.url, signEnd(request, network.chain.domain, tokens, 'cancelled', requestKey));
    const frame = await leaveAfter(request, header, 20).then(async () => parseFrame(await (await end(12)).json()));
    if (frame.type !== 'receipt') throw new Error(`expected a receipt, got ${JSON.stringify(frame)}`);
    // 4 prompt tokens, 12 completion tokens
    expect(frame.receipt).toMatchObject({ finishReason: 'cancelled', completionTokens: 12, cumulativeAmount: 28_000n });
    expect(parsePaymentResponse(frame.settlement!)).toMatchObject({ success: true, extra: { chargedAmount: '28000' } });
  });

  it('costs nothing when it breaks off without an end, and what was reserved is free again', async () => {
    const payer = await newStockPayer(network, 'batch-settlement');
    const abandoned = log.of('run_abandoned').length;
    const { request, header, payment } = await payer.pay(worker.url, { ...run(), change: { maxTokens: 4000 } });
    await leaveAfter(request, header, 20);
    // nobody ends it: the node waits for an end, then gives it up
    await log.next('run_abandoned', abandoned + 1);
    const next = await payer.run(worker.url, { ...run(), change: { maxTokens: 100 } });
    expect(receiptOf(next)).toMatchObject({ channel: payment.channel, cumulativeAmount: receiptAmount(receiptOf(next)) });
  });

  it('is one of those whose money reaches the splitter, and its owners when there is stake behind it', async () => {
    const payer = await newStockPayer(network, 'batch-settlement');
    const claims = log.of('channels_claimed').length;
    const { payment, request } = await payer.run(worker.url, run());
    await log.next('channels_claimed', claims + 1);
    await refusedOn(payment.channel, 'StakeReserved');
    // the claim is in the node's books a moment after it is in the log
    while ((await earningOf(request))?.why.includes('claims'));
    expect(log.of('revenue_covered')).toEqual([]);
    expect(await network.balanceOf(payment.payTo)).toBeGreaterThan(0n);

    // that claim may have been another channel's: this one's comes
    const pending = { state: 'pending', why: expect.stringContaining('no free stake') as string };
    await expect.poll(() => earningOf(request), { timeout: 20_000 }).toMatchObject(pending);

    // for the largest run, and a part of what was earned in this file: the rest waits until dispute windows close, and nobody does anything for it
    const stakedFor = 300_000n;
    const earned = await network.balanceOf(payment.payTo);
    await network.stake(worker.nodeId, stakedFor * 10n ** 12n);
    let windows = 0;
    for (let seen = 0; ; windows++) {
      await log.next('revenue_released', seen + 1);
      seen = log.of('revenue_released').length;
      if ((await network.balanceOf(payment.payTo)) === 0n) break;
      await pass(disputeWindow);
    }
    expect(earned).toBeGreaterThan(stakedFor);
    expect(windows).toBeGreaterThanOrEqual(Number((earned - 1n) / stakedFor));
    expect(await earningOf(request)).toMatchObject({
      scheme: 'batch-settlement',
      amount: 20_000n,
      state: 'paid',
      why: 'claimed, covered and divided',
    });
    const earnings = await readEarnings(config.dataDir, earningsChain());
    expect(earnings.filter(({ state }) => state === 'unpaid')).toMatchObject([
      { amount: 0n, why: expect.stringContaining('signed end') as string },
    ]);
    expect(earnings.filter(({ state }) => state === 'pending')).toEqual([]);
    expect(new Set(earnings.map(({ scheme }) => scheme))).toEqual(new Set(['exact', 'upto', 'batch-settlement']));
  });
});

/** Until the contract does not take the receipts of this channel. */
async function refusedOn(channel: Hex32, reason: string): Promise<void> {
  for (let count = 1; ; count++) {
    const { fields } = await log.next('revenue_not_covered', count);
    if (fields['channel'] === channel && fields['reason'] === reason) return;
  }
}

/** Sets the chain's clock forward. */
async function pass(seconds: number): Promise<void> {
  await network.chain.rpc.call({ what: 'time' }, (client) => client.request({ method: 'evm_increaseTime', params: [seconds] } as never));
  await network.chain.rpc.call({ what: 'block' }, (client) => client.request({ method: 'evm_mine' } as never));
}

/** Reads so many tokens of a paid run, and goes away. */
async function leaveAfter(request: RunRequest, header: string, tokens: number): Promise<void> {
  const gone = new AbortController();
  const response = await post(worker.url, request, header, gone.signal);
  let text = '';
  const read = (async () => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.split('"type":"token"').length > tokens) gone.abort();
    }
  })();
  await expect(read).rejects.toThrow(/abort/i);
}
