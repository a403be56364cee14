import { CommonweightError } from '@commonweight/protocol';
import { type Context, Hono } from 'hono';
import { gatewayLimits as limits } from '../../limits.ts';
import { randomHex } from '../../platform/random.ts';
import { ApiError, errorBody } from '../api-error.ts';
import type { GatewayLog } from '../log.ts';
import type { KnownNode, NodeDirectory } from '../network/node-directory.ts';
import { ClientGone } from '../run/complete.ts';
import type { ChatModel } from '../text/chat-model.ts';
import type { ChatModels } from '../text/chat-models.ts';
import { type ChatRouteOptions, chatRoute } from './chat-route.ts';
import { guardOrigin } from './guards.ts';
import { type ReceiptRouteOptions, receiptRoute } from './receipt-route.ts';
import { requestRoute } from './request-route.ts';

export interface AppOptions extends Omit<ChatRouteOptions, 'toApiError'>, ReceiptRouteOptions {
  readonly models: ChatModels;
  readonly directory: NodeDirectory;
  readonly allowedHosts: readonly string[];
  readonly log: GatewayLog;
  /** Unix seconds. */
  readonly startedAt: number;
}

/** The gateway's HTTP interface: OpenAI's surface, and nodes and receipts beside it. */
export function createApp(options: AppOptions): Hono {
  const { models, directory, log, startedAt } = options;
  const app = new Hono();
  const toApiError = publicError(log);

  app.use(guardOrigin(options.allowedHosts));
  app.onError((error, c) => {
    const known = toApiError(error);
    for (const [name, value] of Object.entries(known.headers)) c.header(name, value);
    return c.json(errorBody(known), known.status);
  });
  app.notFound((c) => {
    throw new ApiError(`nothing at ${c.req.method} ${c.req.path.slice(0, 80)}`, { status: 404, code: 'unknown_url' });
  });

  const modelObject = async (model: ChatModel) => ({
    id: model.name,
    object: 'model',
    created: startedAt,
    owned_by: 'commonweight',
    model_id: model.modelId,
    context_length: model.manifest.graph.context,
    nodes: (await directory.nodes()).filter((node) => node.health.status === 'ok' && node.models.includes(model.modelId)).length,
  });

  const routes: readonly (readonly ['GET' | 'POST', string, (c: Context) => Promise<Response>])[] = [
    ['POST', '/v1/chat/completions', chatRoute({ ...options, toApiError })],
    ['GET', '/v1/models', async (c) => c.json({ object: 'list', data: await Promise.all(models.all.map(modelObject)) })],
    [
      'GET',
      '/v1/models/:id',
      async (c) => {
        const model = models.find(c.req.param('id') ?? '');
        if (!model)
          throw new ApiError('this gateway does not know that model; see GET /v1/models', {
            status: 404,
            code: 'model_not_found',
            param: 'model',
          });
        return c.json(await modelObject(model));
      },
    ],
    ['GET', '/v1/nodes', async (c) => c.json({ object: 'list', data: (await directory.nodes(limits.nodesShownMs)).map(nodeObject) })],
    ['GET', '/v1/receipts/:id', receiptRoute(options)],
    ['GET', '/v1/requests/:hash', requestRoute(options)],
    [
      'GET',
      '/health',
      async (c) => {
        const nodes = await directory.nodes(limits.nodesShownMs);
        const healthy = nodes.filter((node) => node.health.status === 'ok').length;
        return c.json({
          status: healthy > 0 ? 'ok' : 'degraded',
          models: models.all.map((model) => model.name),
          nodes: { registered: nodes.length, healthy },
        });
      },
    ],
  ];
  for (const [method, path, handler] of routes) {
    app.on(method, path, handler);
    app.all(path, (c) => {
      throw new ApiError(`${c.req.method} is not allowed here; use ${method}`, {
        status: 405,
        code: 'method_not_allowed',
        headers: { allow: method },
      });
    });
  }
  return app;
}

/** A node as `GET /v1/nodes` shows it. */
const nodeObject = (node: KnownNode) => ({
  id: node.node,
  object: 'commonweight.node',
  endpoint: node.endpoint,
  session_key: node.sessionKey,
  models: node.models,
  bond: String(node.bond),
  health: node.health,
  prices: node.asked,
  registered_prices: node.prices.map(({ modelId, asset, promptPrice, completionPrice }) => ({
    model: modelId,
    prompt: String(promptPrice),
    completion: String(completionPrice),
    asset,
    refused: node.priceRefusals.get(modelId)?.message ?? null,
  })),
  outstanding: node.outstanding,
  refusals: node.refusals,
});

/** What a client may see of an error: ours as they are, anything else as an opaque id that the log explains. */
const publicError =
  (log: GatewayLog) =>
  (error: unknown): ApiError => {
    if (error instanceof ApiError) return error;
    if (error instanceof ClientGone) return new ApiError('the answer was cancelled', { status: 503, code: 'cancelled' });
    const id = randomHex(8);
    const stack = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
    // the message is left out: it may quote a request
    log.error('internal_error', {
      id,
      name: error instanceof Error ? error.name : typeof error,
      code: error instanceof CommonweightError ? error.code : '',
      at: stack.slice(0, 6).join(' ').trim(),
    });
    if (error instanceof CommonweightError && error.action === 'retry') {
      return new ApiError(`temporarily unavailable (${error.code}, incident ${id}); try again`, {
        status: 503,
        code: error.code,
        cause: error,
      });
    }
    return new ApiError(`internal error ${id}; the gateway's log says more`, { status: 500, code: 'internal_error', cause: error });
  };
