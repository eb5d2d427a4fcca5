import { onTestFinished } from 'vitest';
import { freePort } from './free-port.ts';
import { queryRedis, startTestRedis } from './redis.ts';

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
