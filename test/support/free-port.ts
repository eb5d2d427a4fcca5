import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports below those that systems choose for outgoing connections (Linux: 32,768 and above), even with 10,000 added, which
 * is the port of the bus of a node of a Redis Cluster.
 */
const firstPort = 10_000;
const lastPort = 22_767;

/**
 * Returns a loopback port for a server that is ended and started again, or that another process will open. Unlike a port
 * that the system chose, no outgoing connection of the machine can take it while nothing listens on it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(firstPort, lastPort + 1);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
