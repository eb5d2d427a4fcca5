import { onTestFinished } from 'vitest';
import { type ClusterNode, startClusterNode } from './redis-cluster-node.ts';

/** Number of slots of a cluster. A node must own each of them. */
const slotCount = 16_384;
const masterCount = 3;

/** Starts a Redis Cluster of one node on a loopback port, which ends with the test. */
export async function startTestCluster(): Promise<ClusterNode> {
  const node = await startSmallCluster();
  onTestFinished(node.stop);
  return node;
}

/** Starts a Redis Cluster of one node on a loopback port. The caller stops it. */
export async function startSmallCluster(): Promise<ClusterNode> {
  const node = await startClusterNode();
  await node.query((redis) => redis.cluster('ADDSLOTS', ...slotsOf(0, 1)));
  await untilHolds(async () => (await infoOf(node)).includes('cluster_state:ok'));
  return node;
}

/** A Redis Cluster on loopback of three masters with one replica each. Tests may kill the masters. */
export interface ReplicatedCluster {
  /** Addresses of all nodes, as REDIS_URL takes them. */
  readonly url: string;
  readonly nodes: readonly ClusterNode[];
  /** Returns the current master of a key, as the running nodes see it. */
  masterOf(key: string): Promise<ClusterNode>;
  /** Resolves when every running node knows another running master for the key. */
  whenTakenOver(key: string, from: ClusterNode): Promise<void>;
  /** Restarts a killed node on its data. Resolves when it follows the new master and has caught up. */
  bringBack(node: ClusterNode): Promise<void>;
  /** Ends every node and removes its data. */
  stop(): Promise<void>;
}

/**
 * Starts the cluster and waits until it takes commands and every replica has caught up with its master.
 *
 * @param nodeTimeoutMs silence after which the others consider a node dead.
 */
export async function startReplicatedCluster(nodeTimeoutMs: number): Promise<ReplicatedCluster> {
  const replicating = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];
  const settings = ['--cluster-node-timeout', String(nodeTimeoutMs), ...replicating];
  const nodes: ClusterNode[] = [];
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
  const running = () => nodes.filter((node) => node.isAlive());
  const all = (holds: (node: ClusterNode) => Promise<boolean>) =>
    untilHolds(async () => (await Promise.all(running().map(holds))).every(Boolean));
  try {
    while (nodes.length < masterCount * 2) nodes.push(await startClusterNode(settings));
    await join(nodes, all);
  } catch (error) {
    await stop();
    throw error;
  }

  /** Returns the port of the master of a slot, as one node sees it. */
  async function responsible(seenBy: ClusterNode, slot: number): Promise<number | undefined> {
    const ranges = await seenBy.query((redis) => redis.cluster('SLOTS'));
    return ranges.find(([first, last]) => first <= slot && slot <= last)?.[2]?.[1];
  }
  const slotOf = (key: string) => firstOf(running()).query((redis) => redis.cluster('KEYSLOT', key));

  return {
    url: nodes.map(({ host, port }) => `redis://${host}:${port}`).join(','),
    nodes,
    async masterOf(key) {
      const port = await responsible(firstOf(running()), await slotOf(key));
      return firstOf(nodes.filter((node) => node.port === port));
    },
    async whenTakenOver(key, from) {
      const slot = await slotOf(key);
      await all(async (node) => {
        const port = await responsible(node, slot);
        return port !== undefined && port !== from.port && (await infoOf(node)).includes('cluster_state:ok');
      });
    },
    async bringBack(node) {
      await node.start();
      await catchUp(node, nodes);
    },
    stop,
  };
}

/** Starts to move the slot of a key to another master. Its keys stay where they are, so the move never ends. */
export async function startSlotMove(cluster: ReplicatedCluster, key: string): Promise<void> {
  const source = await cluster.masterOf(key);
  const target = firstOf(cluster.nodes.slice(0, masterCount).filter((node) => node !== source));
  const idOf = (node: ClusterNode) => node.query((redis) => redis.cluster('MYID'));
  const slot = await source.query((redis) => redis.cluster('KEYSLOT', key));
  const [from, to] = [String(await idOf(source)), String(await idOf(target))];
  await target.query((redis) => redis.cluster('SETSLOT', slot, 'IMPORTING', from));
  await source.query((redis) => redis.cluster('SETSLOT', slot, 'MIGRATING', to));
}

/** Joins separate nodes to a cluster: the first half owns the slots, the second half are its replicas. */
async function join(
  nodes: readonly ClusterNode[],
  all: (holds: (node: ClusterNode) => Promise<boolean>) => Promise<void>,
): Promise<void> {
  const masters = nodes.slice(0, masterCount);
  const [first, ...others] = nodes;
  for (const [at, master] of masters.entries()) {
    await master.query((redis) => redis.cluster('ADDSLOTS', ...slotsOf(at, masterCount)));
    // Without explicit epochs the nodes need a random time to resolve conflicts.
    await master.query((redis) => redis.cluster('SET-CONFIG-EPOCH', at + 1));
  }
  for (const { host, port } of others) await first?.query((redis) => redis.cluster('MEET', host, port));
  await all(async (node) => (await infoOf(node)).includes(`cluster_known_nodes:${nodes.length}`));
  for (const [at, replica] of nodes.slice(masterCount).entries()) {
    const master = firstOf(masters.slice(at));
    const id = await master.query((redis) => redis.cluster('MYID'));
    await replica.query((redis) => redis.cluster('REPLICATE', String(id)));
  }
  await all(async (node) => (await infoOf(node)).includes('cluster_state:ok'));
  for (const replica of nodes.slice(masterCount)) await catchUp(replica, nodes);
}

const infoOf = async (node: ClusterNode) => String(await node.query((redis) => redis.cluster('INFO')));

/**
 * Resolves when a node follows a master and has acknowledged more than the offset of the master at that moment. Earlier
 * the replica may be "online" with a complete copy but receive no writes, which would be lost with the master.
 */
async function catchUp(replica: ClusterNode, nodes: readonly ClusterNode[]): Promise<void> {
  let joinedAt: number | undefined;
  await untilHolds(async () => {
    // INFO of a replica names its master.
    const [, port] = /^master_port:(\d+)/m.exec(await replicationOf(replica)) ?? [];
    const master = nodes.find((node) => node.isAlive() && node.port === Number(port));
    if (!master) return false;
    const info = await replicationOf(master);
    const [, acknowledged] = new RegExp(`port=${replica.port},state=online,offset=(\\d+)`).exec(info) ?? [];
    if (acknowledged === undefined) return false;
    joinedAt ??= Number(/master_repl_offset:(\d+)/.exec(info)?.[1]);
    return Number(acknowledged) > joinedAt;
  });
}

const replicationOf = (node: ClusterNode) => node.query((redis) => redis.info('replication'));

/** Returns the slots of one of so many equal parts. */
function slotsOf(part: number, parts: number): number[] {
  const start = Math.floor((slotCount * part) / parts);
  const end = Math.floor((slotCount * (part + 1)) / parts);
  return Array.from({ length: end - start }, (_, index) => start + index);
}

function firstOf(nodes: readonly ClusterNode[]): ClusterNode {
  const [node] = nodes;
  if (!node) throw new Error('no such node in the cluster');
  return node;
}

/** Polls a condition until it holds. The timeout of the test is the limit. */
async function untilHolds(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
