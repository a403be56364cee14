import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { knownPort, rememberPort } from './known-port.ts';

test('a port is known again unless it is taken or its file damaged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'commonweight-port-'));
  const server = createServer().listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await knownPort('127.0.0.1', folder)).toBe(0);
    rememberPort(folder, port);
    expect(await knownPort('127.0.0.1', folder)).toBe(0);
    server.close();
    await once(server, 'close');
    expect(await knownPort('127.0.0.1', folder)).toBe(port);
    for (const damaged of ['', 'x', '-1', '65536', '1.5']) {
      writeFileSync(join(folder, 'port'), damaged);
      expect(await knownPort('127.0.0.1', folder)).toBe(0);
    }
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});
