import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { requireFreePort } from './port.ts';

test('a busy port is refused with a sentence that says what to do, a free one and 0 are not', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(requireFreePort('127.0.0.1', port)).rejects.toThrow(
    `Port ${port} is in use by another program: choose another one with --port N`,
  );
  server.close();
  await once(server, 'close');
  await requireFreePort('127.0.0.1', port);
  await requireFreePort('127.0.0.1', 0);
});
