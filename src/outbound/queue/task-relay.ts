import { randomUUID } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { Log } from '../../domain/ports.ts';
import { createOutageLog } from '../../lib/outage-log.ts';
import { idle, sleep } from '../../lib/sleep.ts';
import { decodeEntry } from './intake-entry.ts';
import { intakeKey, type QueueName } from './queue-names.ts';
import type { MessageQueue } from './task-queue.ts';

export interface TaskRelay {
  start(): void;
  /** Stops moving tasks. Resolves after the tasks taken from the intake are in the queue or have failed. */
  stop(): Promise<void>;
}

const waitSeconds = 0.5;
const batchSize = 500;
const pauseAfterFaultMs = 1_000;
const stopLimitMs = 2_000;
/** Lifetime of the element that ends a blocking read, if no read pops it. */
const stopElementMs = 10_000;

/**
 * Creates a relay that moves tasks from the intake into the queue, in their order. Any number of relays may run. Messages
 * pass unchanged, so that a relay of this release can move tasks of a newer one.
 *
 * @param deps.redis a connection of its own that waits during an outage of Redis.
 * @param deps.commands a connection that fails fast, because `redis` is blocked by reads.
 */
export function createTaskRelay(
  queueName: QueueName,
  deps: { redis: Redis | Cluster; commands: Redis | Cluster; queue: MessageQueue; log: Log },
): TaskRelay {
  const { redis, commands, queue, log } = deps;
  const key = intakeKey(queueName);
  // A list of this relay alone. Its element ends the blocking read, so that a stop does not wait for the timeout.
  const stopKey = `${key}:stop:${randomUUID()}`;
  const outage = createOutageLog(log, {
    fields: { queue: queueName.name },
    outage: 'intake relay failing; reconciler will re-enqueue',
    over: 'intake relay recovered',
  });
  let stopped = false;
  let running: Promise<void> | undefined;

  async function moveEntry(text: string): Promise<void> {
    const entry = decodeEntry(text);
    if (entry) return queue.addMessage(entry.message, entry);
    log.error({ queue: queueName.name }, 'damaged intake entry dropped; reconciler will re-enqueue');
  }

  async function moveMore(): Promise<void> {
    const entries = (await redis.lpop(key, batchSize)) ?? [];
    await Promise.all(entries.map(moveEntry));
  }

  async function moveSome(): Promise<void> {
    // The list of stops is first, so that a read which was sent late takes no task after a stop.
    const first = await redis.blpop(stopKey, key, waitSeconds);
    if (!first || first[0] === stopKey) return;
    // The first task is moved at once, because most tasks arrive alone.
    await Promise.all([moveEntry(first[1]), moveMore()]);
    outage.worked();
  }

  async function run(): Promise<void> {
    while (!stopped) {
      await moveSome().catch(async (error) => {
        if (stopped) return;
        outage.failed(error);
        await sleep(pauseAfterFaultMs);
      });
    }
  }

  async function endRead(): Promise<void> {
    await Promise.all([commands.rpush(stopKey, 'stop'), commands.pexpire(stopKey, stopElementMs)]);
  }

  return {
    start() {
      running = run();
    },
    async stop() {
      stopped = true;
      if (!running) return;
      await endRead().catch(() => {});
      // The blocking read never ends while Redis is down. The owner of the connection ends it by closing the connection.
      if (redis.status !== 'ready') return;
      await Promise.race([running, idle(stopLimitMs)]);
    },
  };
}
