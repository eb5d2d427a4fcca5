import type { CallerPolicy } from '../../domain/access-policy.ts';
import { createBatches } from '../../lib/batches.ts';
import type { JobTask } from './intake-entry.ts';
import type { Scheduling } from './job-queue.ts';
import { registrationMs } from './schedule/register-slots.ts';
import { createSchedulePolicies } from './schedule-policies.ts';

interface Deps {
  readonly queue: Scheduling;
  readonly process: string;
  readonly slots: () => number;
  /** Returns the rules for a key and its tenant. Its reads are cached. */
  readonly policyOf: (tenant: string, keyId: string | undefined) => Promise<CallerPolicy>;
  readonly onError: (error: unknown) => void;
}

/** A task to add, the id of an ended one, both for a task that returns, or neither to schedule the next tasks only. */
interface Change {
  readonly added?: JobTask;
  readonly ended?: string | undefined;
}

/** Maximum number of changes, and of scheduled tasks, in one call. A script blocks Redis. */
const maxPerCall = 200;
/** Maximum number of ended tasks to remember during an outage. The check of the schedule finds the others. */
const maxUnreported = 10_000;

/** Creates the part of a relay that changes the schedule. Changes that arrive together share a call. */
export function createScheduler({ queue, process, slots, policyOf, onError }: Deps) {
  /** Ended tasks that the schedule still counts, because a call failed. */
  let unreported: string[] = [];
  const policies = createSchedulePolicies({ queue, policyOf });

  const change = createBatches(
    async (changes: readonly Change[]) => {
      const added = changes.flatMap((each) => each.added ?? []);
      const ended = [...unreported.splice(0), ...changes.flatMap((each) => each.ended ?? [])];
      try {
        if (added.length > 0) await policies.beforeAdding(added);
        await schedule(added, ended);
      } catch (error) {
        unreported = [...ended, ...unreported].slice(0, maxUnreported);
        throw error;
      }
      return changes;
    },
    { max: maxPerCall },
  );

  async function schedule(added: readonly JobTask[], ended: readonly string[]): Promise<void> {
    const input = { added, ended: ended.map((id) => ({ id })), maxTasks: maxPerCall };
    let hasMore = await queue.schedule(input);
    while (hasMore) hasMore = await queue.schedule({ maxTasks: maxPerCall });
  }

  return {
    /** Adds a task, and schedules the next tasks. */
    async add(task: JobTask): Promise<void> {
      await change({ added: task });
    },
    /** Schedules the next tasks after another process added tasks. */
    async scheduleNext(): Promise<void> {
      await policies.checkNew();
      await change({});
    },
    onSlotFree(ended?: string, added?: JobTask): void {
      change({ ended, ...(added ? { added } : {}) }).catch(onError);
    },
    /** Registers the slots of this process, corrects the schedule and schedules the next tasks. */
    async register(): Promise<void> {
      const all = await queue.registerSlots(process, slots(), registrationMs);
      await queue.correct(all);
      await policies.compareSome();
      await policies.checkNew();
      await change({});
    },
    /** Applies the changed rules of a tenant or a key to waiting tasks. */
    async onPolicyChange(tenant: string, keyId: string | undefined): Promise<void> {
      await policies.update(tenant, keyId);
      await change({});
    },
    async stop(): Promise<void> {
      await queue.registerSlots(process, 0, registrationMs);
    },
  };
}
