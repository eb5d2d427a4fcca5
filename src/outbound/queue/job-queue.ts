import type { Cluster, Redis } from 'ioredis';
import type { JobQueue } from '../../domain/ports.ts';
import { createBatches } from '../../lib/batches.ts';
import { encodeJobTask, type JobTask } from './intake-entry.ts';
import type { QueueName } from './queue-names.ts';
import { createScheduleChecks } from './schedule/check-schedule.ts';
import { createLocateTask } from './schedule/locate-task.ts';
import { createScheduleKeys } from './schedule/lua.ts';
import { createListWorkers, createRegisterSlots } from './schedule/register-slots.ts';
import { createRemoveTask } from './schedule/remove-task.ts';
import { createScheduleTasks, type ScheduleInput } from './schedule/schedule-tasks.ts';
import {
  createListOwners,
  createListUnchecked,
  createSetPolicies,
  type SchedulePolicy,
} from './schedule/set-policies.ts';
import { createTaskQueue, type MessageQueue, translated } from './task-queue.ts';

/** Operations of the processes that schedule tasks. */
export interface Scheduling extends MessageQueue {
  /** List that has an element if a relay has to schedule tasks. */
  readonly dueKey: string;
  /**
   * Removes ended tasks from the schedule, adds new ones, and moves the next tasks into the queue while slots are free.
   *
   * @returns whether slots may be left for further tasks.
   */
  schedule(input: ScheduleInput): Promise<boolean>;
  /** Returns whether tasks wait in the schedule. */
  hasWaiting(): Promise<boolean>;
  /** Registers the slots of a process for a time. 0 ends the registration. @returns the slots of all processes. */
  registerSlots(process: string, slots: number, durationMs: number): Promise<number>;
  /** Writes rules for scheduling. They apply to the next task. */
  setPolicies(policies: readonly SchedulePolicy[]): Promise<void>;
  /** Returns a part of the owners of rules and of the tenants with waiting tasks, with the stored texts of their rules. */
  listOwners(): Promise<ReadonlyMap<string, string>>;
  /** Returns keys, as 'TENANT KEY', whose tasks were added without their rules. Their tasks wait for `setPolicies`. */
  listUnchecked(): Promise<string[]>;
  /**
   * Corrects differences between the schedule and the queue, and continues with the next part at the next call.
   *
   * @param slots the slots of all processes.
   */
  correct(slots: number): Promise<void>;
}

/** Maximum number of tasks that are added with one call. */
const maxPerCall = 200;

/**
 * Creates the queue of jobs. Waiting tasks are in a schedule, which serves the tenants in turns. BullMQ's queue contains only
 * tasks for free slots, running tasks, and tasks that continue later. See
 * docs/adr/0022-serve-tenants-in-turns.md.
 *
 * @param redis a connection that fails fast.
 * @param reads a further such connection for reads.
 */
export function createJobQueue(
  redis: Redis | Cluster,
  queueName: QueueName,
  reads: Redis | Cluster = redis,
): JobQueue & Scheduling & { close(): Promise<void> } {
  const queue = createTaskQueue(redis, queueName, reads);
  const keys = createScheduleKeys(queueName);
  const scheduleTasks = createScheduleTasks(redis, keys);
  const removeTask = createRemoveTask(redis, keys);
  const locateTask = createLocateTask(reads, keys);
  const registerSlots = createRegisterSlots(redis, keys);
  const listWorkers = createListWorkers(reads, keys);
  const setPolicies = createSetPolicies(redis, keys);
  const listOwners = createListOwners(reads, keys);
  const listUnchecked = createListUnchecked(redis, keys);
  const { findLost, findExcess } = createScheduleChecks(reads, keys);

  async function schedule(input: ScheduleInput): Promise<boolean> {
    const { tasks, hasMore } = await scheduleTasks(input);
    // The schedule has decided the sequence, so all of its tasks have the same priority in the queue.
    const add = (task: JobTask) =>
      queue.addMessage(encodeJobTask(task), {
        taskId: task.id,
        priority: 'normal',
        isInterrupted: task.isInterrupted,
      });
    await Promise.all(tasks.map(add));
    return hasMore;
  }

  const addInBatch = createBatches(
    async (added: readonly JobTask[]) => {
      await schedule({ added, maxTasks: 0 });
      return added;
    },
    { max: maxPerCall },
  );

  async function isWaiting(ids: readonly string[]): Promise<boolean[]> {
    if (ids.length === 0) return [];
    return (await reads.hmget(keys.tasks, ...ids)).map((task) => task !== null);
  }

  let cursor = '0';

  async function correct(slots: number): Promise<void> {
    const found = await findLost(cursor);
    cursor = found.cursor;
    if (found.lost.length > 0) await schedule({ ended: found.lost, maxTasks: 0 });
    for (;;) {
      const excess = await findExcess(slots);
      const removed = await Promise.all(excess.map(({ id }) => queue.remove(id)));
      const added = excess.filter((_, i) => removed[i]);
      if (added.length === 0) return;
      await schedule({ ended: added, added, maxTasks: 0 });
    }
  }

  return {
    dueKey: keys.due,
    addMessage: queue.addMessage,
    promoteDelayed: queue.promoteDelayed,
    schedule: (input) => translated(() => schedule(input)),
    hasWaiting: () => translated(async () => (await reads.exists(keys.tasks)) === 1),
    registerSlots: (...args) => translated(() => registerSlots(...args)),
    setPolicies: (policies) => translated(() => setPolicies(policies)),
    listOwners: () => translated(listOwners),
    listUnchecked: () => translated(listUnchecked),
    correct: (slots) => translated(() => correct(slots)),
    add: ({ tenant, id }, options) =>
      translated(async () => void (await addInBatch({ ...options, tenant, id }))),
    remove: (taskId) =>
      translated(async () => {
        if (await removeTask(taskId)) return true;
        if (!(await queue.remove(taskId))) return false;
        await schedule({ ended: [{ id: taskId }], maxTasks: 0 });
        return true;
      }),
    position: (taskId) =>
      translated(async () => (await locateTask(taskId)) ?? (await queue.position(taskId))),
    has: (taskIds) =>
      translated(async () => {
        const [waiting, queued] = await Promise.all([isWaiting(taskIds), queue.has(taskIds)]);
        return waiting.map((each, i) => each || queued[i] === true);
      }),
    counts: () =>
      translated(async () => {
        const [scheduled, counts] = await Promise.all([reads.hlen(keys.tasks), queue.counts()]);
        return { ...counts, waiting: counts.waiting + scheduled };
      }),
    workers: () => translated(listWorkers),
    close: queue.close,
  };
}
