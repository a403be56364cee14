import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { LateAnswer, postJson } from './post-json.ts';

it('an answer that does not come, or does not end, is late', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/begins') response.write('{');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await expect(postJson(`${url}/never`, '{}', 50)).rejects.toThrow(LateAnswer);
    await expect(postJson(`${url}/begins`, '{}', 50)).rejects.toThrow(LateAnswer);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
