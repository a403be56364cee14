import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getJson } from './http.ts';

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer(({ url: path }, response) => {
    if (path === '/missing') response.writeHead(404);
    response.end(path === '/text' ? 'x' : '{"a":[1]}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

test('JSON of a 200, nothing else', async () => {
  expect(await getJson(`${url}/json`)).toEqual({ a: [1] });
  await expect(getJson(`${url}/missing`)).rejects.toThrow('/missing answered 404');
  await expect(getJson(`${url}/text`)).rejects.toThrow(SyntaxError);
  await expect(getJson('http://127.0.0.1:1/')).rejects.toThrow('ECONNREFUSED');
});
