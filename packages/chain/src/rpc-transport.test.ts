import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { connectRpc } from './rpc.ts';

const close: (() => void)[] = [];
afterEach(() => close.splice(0).forEach((end) => end()));

/** A JSON-RPC endpoint that answers as told. */
async function endpoint(listener: RequestListener): Promise<ReturnType<typeof connectRpc>> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  close.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return connectRpc(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 1);
}
const blockNumber = (rpc: ReturnType<typeof connectRpc>): Promise<bigint> => rpc.call({ what: 'block number' }, (c) => c.getBlockNumber());

describe('rpcTransport', () => {
  it('keeps its connection', async () => {
    const ports = new Set<number | undefined>();
    const rpc = await endpoint((request, response) => {
      ports.add(request.socket.remotePort);
      request.resume().once('end', () => response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: '0x2a' })));
    });
    for (let i = 0; i < 3; i++) expect(await blockNumber(rpc)).toBe(42n);
    expect(ports.size).toBe(1);
  });

  it("an answer's error is the chain's, also beside an HTTP error", async () => {
    for (const status of [200, 400]) {
      const rpc = await endpoint((_, response) => {
        response.writeHead(status).end(JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32_000, message: 'no funds' } }));
      });
      await expect(blockNumber(rpc)).rejects.toMatchObject({ code: 'chain_rpc', message: expect.stringContaining('no funds') });
    }
  });

  it.each(['<html>', 'null', '{}', '{"error":"x"}', ''])('no answer at all: %s', async (text) => {
    const rpc = await endpoint((_, response) => void response.writeHead(502).end(text));
    await expect(blockNumber(rpc)).rejects.toMatchObject({ code: 'chain_unreachable' });
  });

  it('a connection that is refused or cut', async () => {
    await expect(blockNumber(connectRpc('http://127.0.0.1:1', 1))).rejects.toMatchObject({ code: 'chain_unreachable' });
    const rpc = await endpoint((request) => void request.socket.destroy());
    await expect(blockNumber(rpc)).rejects.toMatchObject({ code: 'chain_unreachable' });
  });

  it('asks again for a block that is not quite there, but not for ever, and never sends a transaction twice', async () => {
    let requests = 0;
    let missing = 2;
    const rpc = await endpoint((request, response) => {
      requests++;
      const answer =
        missing-- > 0
          ? { error: { code: -32_602, message: 'BlockOutOfRangeError: block height is 3 but requested was 4' } }
          : { result: '0x2a' };
      request.resume().once('end', () => response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, ...answer })));
    });
    const address = `0x${'11'.repeat(20)}` as const;
    expect(await rpc.balance(address)).toBe(42n);
    expect(requests).toBe(3);
    [requests, missing] = [0, Infinity];
    await expect(rpc.balance(address)).rejects.toMatchObject({ code: 'chain_rpc' });
    expect(requests).toBe(5);
    requests = 0;
    await expect(rpc.call({ what: 'send' }, (c) => c.sendRawTransaction({ serializedTransaction: '0x00' }))).rejects.toThrow(
      'BlockOutOfRange',
    );
    expect(requests).toBe(1);
  });

  it('sends once, whatever happens', async () => {
    let requests = 0;
    const rpc = await endpoint((request) => {
      requests++;
      request.socket.destroy();
    });
    await expect(blockNumber(rpc)).rejects.toMatchObject({ code: 'chain_unreachable' });
    expect(requests).toBe(1);
  });
});
