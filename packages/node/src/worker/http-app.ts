import {
  type Address,
  CommonweightError,
  type Hex32,
  encodeFrame,
  isHex32,
  parseEndRequest,
  parseRunRequest,
  paymentHeaders,
  receiptToJson,
  toHex,
} from '@commonweight/protocol';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HostList } from '../http/host-list.ts';
import type { Ledger } from '../journal/ledger.ts';
import { workerLimits } from '../limits.ts';
import { PaymentRefused } from '../payments/refusal.ts';
import { BatchTrees } from './batch-trees.ts';
import type { Offer } from './check-run.ts';
import type { DigestStore } from './digest-store.ts';
import type { EngineHost } from './engine-host.ts';
import { statusOf } from './http-status.ts';
import { opaque } from './internal-error.ts';
import type { WorkerLog } from './log.ts';
import type { RunQueue } from './run-queue.ts';
import type { RunService } from './run-service.ts';
import { errorFrame, outcomeFrame } from './run.ts';

export interface HttpAppOptions {
  readonly node: Address;
  readonly offer: Pick<Offer, 'promptPrice' | 'completionPrice' | 'asset'>;
  readonly service: RunService;
  readonly queue: RunQueue;
  readonly ledger: Ledger;
  readonly digests: DigestStore;
  readonly engines: ReadonlyMap<Hex32, EngineHost>;
  /** Host names under which gateways ask, beside loopback names and addresses. */
  readonly hosts: readonly string[];
  readonly log: WorkerLog;
}

/** A worker's HTTP interface. Every answer that is not a success is an error frame. */
export function createHttpApp({ node, offer, service, queue, ledger, digests, engines, hosts, log }: HttpAppOptions): Hono {
  const app = new Hono();
  const context = Math.max(0, ...[...engines.values()].map((engine) => engine.manifest.graph.context));
  const trees = new BatchTrees();
  const allowed = new HostList(hosts, { anyAddress: true });
  const limitRun = limitBody(workerLimits.bodyBytes + workerLimits.bytesPerId * context);

  app.onError((error, c) => {
    const known = opaque(error, log);
    if (known.code !== 'internal') log.warn('run_refused', { code: known.code });
    const status = statusOf(known);
    // the rest of the body is still on its way: this connection cannot carry another request
    if (status === 413) c.header('connection', 'close');
    if (status === 429) c.header('retry-after', String(workerLimits.retryAfterSeconds));
    if (known instanceof PaymentRefused) c.header(paymentHeaders.required, known.required);
    return c.json(errorFrame(known), status);
  });
  app.notFound((c) =>
    c.json(errorFrame(new CommonweightError(`nothing at ${c.req.method} ${c.req.path.slice(0, 80)}`, { code: 'not_found' })), 404),
  );

  app.use(async (c, next) => {
    const refused = allowed.refusal({ host: c.req.header('host'), origin: c.req.header('origin') });
    if (!refused) return next();
    throw new CommonweightError(
      refused === 'host'
        ? 'the Host header names a host that this node does not serve; ask under its registered endpoint'
        : 'pages of this origin may not use this node',
      { code: `${refused}_not_allowed`, field: refused },
    );
  });

  app.post('/v1/run', limitRun, async (c) => {
    const input = parseRunRequest(await readJson(c));
    const payment = c.req.header(paymentHeaders.signature);
    const run = payment === undefined ? service.start(input) : await service.sell(input, payment);
    return c.body(run.frames.readable, 200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  });

  app.post('/v1/end', limitBody(workerLimits.bodyBytes), async (c) => {
    const outcome = await service.end(parseEndRequest(await readJson(c)));
    if ('error' in outcome) throw outcome.error;
    return c.body(encodeFrame(outcomeFrame(outcome)), 200, { 'content-type': 'application/json' });
  });

  app.get('/v1/receipts/:digest', async (c) => {
    const { issued, place, batch } = await findReceipt(ledger, c.req.param('digest'));
    const closed = batch.root !== undefined;
    const siblings = closed ? trees.of(batch).proof(place.index).map(toHex) : [];
    return c.json({
      receipt: receiptToJson(issued.receipt),
      signature: issued.signature,
      ...(issued.end && { end: issued.end }),
      status: batch.posted ? 'posted' : 'pending',
      batch: { index: place.batch, ...(closed && { root: batch.root, count: batch.digests.length }) },
      ...(closed && { proof: { index: place.index, count: batch.digests.length, siblings } }),
    });
  });

  app.get('/v1/receipts/:digest/digests', async (c) => {
    const { issued } = await findReceipt(ledger, c.req.param('digest'));
    const points = engines.get(issued.receipt.modelId)?.manifest.graph.commitPoints.length;
    const bytes = points === undefined ? undefined : await digests.get(issued.digest, issued.receipt, points);
    if (!bytes)
      throw new CommonweightError('the digests are no longer kept; they can be regenerated from model and ids', { code: 'digests_gone' });
    return c.body(Uint8Array.from(bytes).buffer, 200, { 'content-type': 'application/octet-stream' });
  });

  app.get('/health', (c) => {
    const failure = service.failure;
    return c.json(
      {
        status: failure ? 'failed' : 'ok',
        ...(failure && { reason: failure.code }),
        node,
        models: [...engines.keys()],
        queue: { running: queue.running, waiting: queue.waiting, slots: queue.slots, limit: queue.limit },
        engines: [...engines.values()].map((engine) => ({ model: engine.modelId, ...engine.status() })),
        prices: { prompt: String(offer.promptPrice), completion: String(offer.completionPrice), asset: offer.asset },
      },
      failure ? 503 : 200,
    );
  });
  return app;
}

const limitBody = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new CommonweightError(`the body is longer than ${maxSize} bytes`, { code: 'body_too_long' });
    },
  });

async function readJson(c: Context): Promise<unknown> {
  // a web page cannot send this type to a loopback port without asking first
  if (!/^application\/json\s*(?:;|$)/i.test(c.req.header('content-type') ?? '')) {
    throw new CommonweightError('expected the content type application/json', { code: 'content_type', field: 'content-type' });
  }
  try {
    return JSON.parse(await c.req.text());
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CommonweightError('expected a body of JSON', { code: 'malformed_json', cause });
  }
}

async function findReceipt(ledger: Ledger, digest: string) {
  const found = isHex32(digest) ? await ledger.find(digest) : undefined;
  if (!found) throw new CommonweightError('this node has not signed that receipt', { code: 'unknown_receipt', field: 'digest' });
  return found;
}
