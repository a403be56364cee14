import { once } from 'node:events';
import { createServer } from 'node:net';
import { UsageError } from '../fault.ts';

/** Refuses a port that somebody listens on, before anything else is started. Port 0 means any free one. */
export async function requireFreePort(host: string, port: number): Promise<void> {
  if (port === 0) return;
  try {
    await listenOnce(host, port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'EADDRINUSE'
        ? 'is in use by another program'
        : code === 'EACCES'
          ? 'needs more rights than this user has'
          : `cannot be used (${code})`;
    throw new UsageError(`Port ${port} ${why}: choose another one with --port N (0 takes any free one).`, {
      field: '--port',
      cause: error,
    });
  }
}

/** Whether a server of this user could listen there now. */
export const isPortFree = (host: string, port: number): Promise<boolean> =>
  listenOnce(host, port).then(
    () => true,
    () => false,
  );

async function listenOnce(host: string, port: number): Promise<void> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
