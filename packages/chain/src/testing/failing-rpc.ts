import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';

export type Failure =
  /** The transaction never reaches the chain. */
  | 'before'
  /** It does, and the answer is lost. */
  | 'after';

/** A JSON-RPC endpoint in front of another one that breaks down at its n-th transaction, for good. */
export async function failingRpc(
  target: string,
  transactions: number,
  failure: Failure,
): Promise<{ readonly url: string } & AsyncDisposable> {
  let sent = 0;
  let broken = false;
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const breaks = body.includes('eth_sendRawTransaction') && ++sent === transactions;
      const forward = () => fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      if (breaks && failure === 'after') await forward();
      broken ||= breaks;
      if (broken) {
        request.socket.destroy();
        return;
      }
      const answer = await forward();
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
