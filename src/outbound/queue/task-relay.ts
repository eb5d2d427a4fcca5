import { randomUUID } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { CallerPolicy } from '../../domain/access-policy.ts';
import type { Log } from '../../domain/ports.ts';
import { every } from '../../lib/every.ts';
import { createOutageLog } from '../../lib/outage-log.ts';
import { idle, sleep } from '../../lib/sleep.ts';
import { delayedPriorities } from './delayed-priorities.ts';
import { decodeEntry, jobTaskOf, returnedTask } from './intake-entry.ts';
import type { Scheduling } from './job-queue.ts';
import { intakeKey, type QueueName } from './queue-names.ts';
import { createScheduler } from './scheduler.ts';
import type { TaskSchedule } from './task-schedule.ts';

export interface TaskRelay extends TaskSchedule {
  start(): void;
  /** Applies the changed rules of a tenant, or of one of its keys, to waiting tasks. Never rejects. */
  onPolicyChange(tenant: string, keyId?: string): Promise<void>;
  /** Stops moving tasks. Resolves after the tasks taken from the intake are scheduled or have failed. */
  stop(): Promise<void>;
}

interface Deps {
  /** A connection of its own that waits during an outage of Redis. */
  readonly redis: Redis | Cluster;
  /** A connection that fails fast, because `redis` is blocked by reads. */
  readonly commands: Redis | Cluster;
  readonly queue: Scheduling;
  /** Name of this process, different after every start. */
  readonly process: string;
  /** Returns the number of tasks that this process runs at most. While it stops, the number that it still runs. */
  readonly slots: () => number;
  /** Returns the rules for a key and its tenant. Its reads are cached. */
  readonly policyOf: (tenant: string, keyId: string | undefined) => Promise<CallerPolicy>;
  readonly log: Log;
}

const waitSeconds = 0.5;
const batchSize = 500;
const pauseAfterFaultMs = 1_000;
const stopLimitMs = 2_000;
/** Lifetime of the element that ends a blocking read, if no read pops it. */
const stopElementMs = 10_000;
/** Time between two registrations of the slots. It also bounds the delay after a lost message. */
const registerPauseMs = 1_000;

/**
 * Creates a relay that moves tasks from the intake into the schedule, and tasks whose turn has come from the schedule into
 * the queue. Any number of relays may run. Messages that only a newer release can read pass into the queue unchanged.
 */
export function createTaskRelay(queueName: QueueName, deps: Deps): TaskRelay {
  const { redis, commands, queue, log } = deps;
  const key = intakeKey(queueName);
  // A list of this relay alone. Its element ends the blocking read, so that a stop does not wait for the timeout.
  const stopKey = `${key}:stop:${randomUUID()}`;
  const outage = createOutageLog(log, {
    fields: { queue: queueName.name },
    outage: 'intake relay failing; reconciler will re-enqueue',
    over: 'intake relay recovered',
  });
  const scheduler = createScheduler({ ...deps, onError: outage.failed });
  let stopped = false;
  let running: Promise<void> | undefined;
  let stopRegistering = async () => {};

  async function moveEntry(text: string): Promise<void> {
    const entry = decodeEntry(text);
    if (!entry) {
      log.error({ queue: queueName.name }, 'damaged intake entry dropped; reconciler will re-enqueue');
      return;
    }
    const task = jobTaskOf(entry);
    await (task ? scheduler.add(task) : queue.addMessage(entry.message, entry));
  }

  async function moveMore(): Promise<void> {
    const entries = (await redis.lpop(key, batchSize)) ?? [];
    await Promise.all(entries.map(moveEntry));
  }

  async function moveSome(): Promise<void> {
    // The list of stops is first, so that a read which was sent late takes no task after a stop.
    const first = await redis.blpop(stopKey, queue.dueKey, key, waitSeconds);
    if (!first || first[0] === stopKey) return;
    // The first task is moved at once, because most tasks arrive alone.
    if (first[0] === key) await Promise.all([moveEntry(first[1]), moveMore()]);
    else await scheduler.scheduleNext();
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
      stopRegistering = every(registerPauseMs, scheduler.register, {
        onError: outage.failed,
        firstAfterMs: 0,
      });
    },
    onSlotFree: scheduler.onSlotFree,
    async findReturn(taskId, message, priority) {
      if (priority < delayedPriorities.retry) return null;
      const task = returnedTask(taskId, message, priority);
      return task && (await queue.hasWaiting()) ? task : null;
    },
    onPolicyChange: (tenant, keyId) => scheduler.onPolicyChange(tenant, keyId).catch(outage.failed),
    async stop() {
      stopped = true;
      if (!running) return;
      await stopRegistering();
      await Promise.all([scheduler.stop(), endRead()]).catch(() => {});
      // The blocking read never ends while Redis is down. The owner of the connection ends it by closing the connection.
      if (redis.status !== 'ready') return;
      await Promise.race([running, idle(stopLimitMs)]);
    },
  };
}
