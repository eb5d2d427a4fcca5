import { onTestFinished } from 'vitest';
import { type ClusterNode, startClusterNode } from './redis-cluster-node.ts';

/** How many slots a cluster has, all of which must be owned by somebody. */
const slotCount = 16_384;
const masterCount = 3;

/** A Redis Cluster of one node that owns every slot, on a loopback port. It ends with the test. */
export async function startTestCluster(): Promise<ClusterNode> {
  const node = await startClusterNode();
  onTestFinished(node.stop);
  await node.ask((redis) => redis.cluster('ADDSLOTS', ...slotsOf(0, 1)));
  await untilHolds(async () => (await infoOf(node)).includes('cluster_state:ok'));
  return node;
}

/** A Redis Cluster of three masters with a replica each, on loopback, whose masters may die. */
export interface ReplicatedCluster {
  /** For REDIS_URL: the addresses of all nodes. */
  readonly url: string;
  readonly nodes: readonly ClusterNode[];
  /** The node that serves a key at this moment, as the living nodes see it. */
  masterOf(key: string): Promise<ClusterNode>;
  /** Resolves once every living node knows of a living master for the key other than the given one. */
  isTakenOver(key: string, from: ClusterNode): Promise<void>;
  /** Starts a node that died, on its data. Resolves once it follows whoever took over, and has caught up. */
  bringBack(node: ClusterNode): Promise<void>;
  /** Ends every node and removes its data. */
  stop(): Promise<void>;
}

/**
 * Starts the cluster and waits until it takes commands and every replica has caught up with its master.
 *
 * @param nodeTimeoutMs how long a node may be silent before the others hold it for dead.
 */
export async function startReplicatedCluster(nodeTimeoutMs: number): Promise<ReplicatedCluster> {
  const replicating = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];
  const settings = ['--cluster-node-timeout', String(nodeTimeoutMs), ...replicating];
  const nodes: ClusterNode[] = [];
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
  const alive = () => nodes.filter((node) => node.isAlive());
  const all = (holds: (node: ClusterNode) => Promise<boolean>) =>
    untilHolds(async () => (await Promise.all(alive().map(holds))).every(Boolean));
  try {
    while (nodes.length < masterCount * 2) nodes.push(await startClusterNode(settings));
    await join(nodes, all);
  } catch (error) {
    await stop();
    throw error;
  }

  /** Address of the master that a node holds responsible for a slot. */
  async function responsible(seenBy: ClusterNode, slot: number): Promise<number | undefined> {
    const ranges = await seenBy.ask((redis) => redis.cluster('SLOTS'));
    return ranges.find(([first, last]) => first <= slot && slot <= last)?.[2]?.[1];
  }
  const slotOf = (key: string) => firstOf(alive()).ask((redis) => redis.cluster('KEYSLOT', key));

  return {
    url: nodes.map(({ host, port }) => `redis://${host}:${port}`).join(','),
    nodes,
    async masterOf(key) {
      const port = await responsible(firstOf(alive()), await slotOf(key));
      return firstOf(nodes.filter((node) => node.port === port));
    },
    async isTakenOver(key, from) {
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

/** Makes a cluster of nodes that do not know each other yet: the first half gets the slots, the second half follows it. */
async function join(
  nodes: readonly ClusterNode[],
  all: (holds: (node: ClusterNode) => Promise<boolean>) => Promise<void>,
): Promise<void> {
  const masters = nodes.slice(0, masterCount);
  const [first, ...others] = nodes;
  for (const [at, master] of masters.entries()) {
    await master.ask((redis) => redis.cluster('ADDSLOTS', ...slotsOf(at, masterCount)));
    // Without numbers of their own, nodes settle in random time who of them is right.
    await master.ask((redis) => redis.cluster('SET-CONFIG-EPOCH', at + 1));
  }
  for (const { host, port } of others) await first?.ask((redis) => redis.cluster('MEET', host, port));
  await all(async (node) => (await infoOf(node)).includes(`cluster_known_nodes:${nodes.length}`));
  for (const [at, replica] of nodes.slice(masterCount).entries()) {
    const master = firstOf(masters.slice(at));
    const id = await master.ask((redis) => redis.cluster('MYID'));
    await replica.ask((redis) => redis.cluster('REPLICATE', String(id)));
  }
  await all(async (node) => (await infoOf(node)).includes('cluster_state:ok'));
  for (const replica of nodes.slice(masterCount)) await catchUp(replica, nodes);
}

const infoOf = async (node: ClusterNode) => String(await node.ask((redis) => redis.cluster('INFO')));

/**
 * Resolves once a node follows a master and has acknowledged more than the master had when it joined. Before that it may
 * have a complete copy and be called online while nothing is sent to it yet; what is written then dies with the master.
 */
async function catchUp(replica: ClusterNode, nodes: readonly ClusterNode[]): Promise<void> {
  let joinedAt: number | undefined;
  await untilHolds(async () => {
    // Only a replica names its master.
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

const replicationOf = (node: ClusterNode) => node.ask((redis) => redis.info('replication'));

/** The slots of one of so many equal parts. */
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

/** Asks until it holds; the test's own timeout bounds it. */
async function untilHolds(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
