import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { queryRedis } from './redis.ts';
import { startTcpRedis } from './redis-ports.ts';

/**
 * Starts a primary and a replica behind one name, as managed Redis services provide it: the name always leads to the
 * primary, and a failover leaves open connections to the demoted server as they are.
 */
export async function startRedisBehindName() {
  const [first, second] = [await startTcpRedis(), await startTcpRedis()];
  const follow = (follower: typeof first, leader: typeof first) =>
    queryRedis(follower.url, (client) => client.replicaof('127.0.0.1', leader.port));
  let [primary, replica] = [first, second];
  await follow(replica, primary);
  const sockets = new Set<Socket>();
  const name = createServer((socket) => {
    const upstream = connect(primary.port, '127.0.0.1');
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => name.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    name.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = name.address();
  const isCaughtUp = () =>
    queryRedis(replica.url, async (client) => /master_link_status:up/.test(await client.info('replication')));
  return {
    url: `redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    /** Promotes the replica and demotes the primary. Open connections stay open. */
    async failOver(): Promise<void> {
      while (!(await isCaughtUp())) await new Promise((resolve) => setTimeout(resolve, 50));
      await queryRedis(primary.url, (client) =>
        client.call('FAILOVER', 'TO', '127.0.0.1', String(replica.port), 'TIMEOUT', '2000', 'FORCE'),
      );
      const isDemoted = async () =>
        /role:slave/.test(await queryRedis(primary.url, (client) => client.info('replication')));
      while (!(await isDemoted())) await new Promise((resolve) => setTimeout(resolve, 50));
      [primary, replica] = [replica, primary];
    },
  };
}
