import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { queryRedis, startTestRedis } from './redis.ts';

/** Returns a TCP port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}

/** Starts a Redis that also listens on a TCP port. The server is stopped when the test ends. */
export async function startTcpRedis() {
  const server = await startTestRedis();
  onTestFinished(server.stop);
  const port = await freePort();
  const configure = (settings: Readonly<Record<string, string | number>>, url = server.url) =>
    queryRedis(url, async (client) => {
      for (const [name, value] of Object.entries(settings)) await client.config('SET', name, value);
    });
  await configure({ port });
  return { ...server, port, configure };
}
