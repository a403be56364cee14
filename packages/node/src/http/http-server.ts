import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { CommonweightError } from '@commonweight/protocol';
import type { Hono } from 'hono';
import { workerLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import { isErrno } from '../platform/files.ts';

export interface HttpServer {
  /** With the port that was chosen. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * Serves `app`; rejects when the address cannot be bound.
 * @param headersMs - milliseconds until a request's headers must have arrived
 */
export async function startHttpServer(
  app: Hono,
  { host, port }: { readonly host: string; readonly port: number },
  clock: Clock,
  headersMs: number = workerLimits.headersMs,
): Promise<HttpServer> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: { headersTimeout: headersMs, requestTimeout: workerLimits.requestMs, connectionsCheckingInterval: 1000 },
  }) as Server;
  server.maxConnections = workerLimits.connections;
  let answering = 0;
  let answered = (): void => undefined;
  server.on('request', (_request, response) => {
    answering++;
    response.once('close', () => {
      answering--;
      answered();
    });
  });
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: Error): void => {
      const why = isErrno(cause, 'EADDRINUSE')
        ? 'another program listens there; choose another port, or 0 for any free one'
        : cause.message;
      reject(new CommonweightError(`cannot listen on ${host}:${port}: ${why}`, { code: 'listen', field: 'listen', cause }));
    };
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${address.port}`,
    // lets answers under way finish, then hangs up: connections that say nothing would hold the server open
    stop: () =>
      new Promise((resolve) => {
        const cancel = clock.after(workerLimits.stopMs, () => server.closeAllConnections());
        server.close(() => {
          cancel();
          resolve();
        });
        answered = () => {
          if (answering === 0) server.closeAllConnections();
        };
        answered();
      }),
  };
}
