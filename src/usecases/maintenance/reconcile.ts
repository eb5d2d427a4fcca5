import { AppError } from '../../domain/errors.ts';
import { isChangeable, isTerminal } from '../../domain/image-job.ts';
import type { Clock, DeliveryQueues, JobStore, Log, TaskQueue, WebhookEvents } from '../../domain/ports.ts';

interface Deps {
  records: JobStore;
  events: WebhookEvents;
  deliveryQueues: DeliveryQueues;
  jobQueue: TaskQueue;
  webhookQueue: TaskQueue;
  clock: Clock;
  log: Log;
}

const pageSize = 500;
/** What a script wrote this recently may not have its task yet. */
const settleMs = 3_000;
/** Every how many rounds the queue is compared task by task. */
const thoroughEvery = 12;

/**
 * Puts back what the queues have lost: every unfinished record without a task, every event and every mailbox with due
 * mail without one. To be called again and again, some seconds apart: the jobs of a tenant are compared from the second call
 * on, because those that the first one found may be about to get their tasks. Idempotent, so any number of processes may do it at the same time; adding a task that exists changes nothing.
 */
export function createReconcile(deps: Deps) {
  async function restore(tenant: string, id: string): Promise<boolean> {
    const job = await deps.records.get(tenant, id);
    if (!job || isTerminal(job.status) || !isChangeable(job)) return false;
    await deps.jobQueue.add({ kind: 'run_job', tenant, id }, { priority: job.request?.priority ?? 'normal' });
    return true;
  }

  /** @returns how many tasks were put back. */
  async function refillImages(tenant: string, settledBefore: number): Promise<number> {
    let restored = 0;
    for (let offset = 0; ; offset += pageSize) {
      const page = await deps.records.openJobs(tenant, offset, pageSize);
      const settled = page.filter((job) => job.changedAt < settledBefore).map((job) => job.id);
      const known = await deps.jobQueue.has(settled);
      for (const id of settled.filter((_, i) => !known[i])) {
        const restoredOne = await restore(tenant, id).catch((error) => {
          // Nor would it take the others.
          if (error instanceof AppError && error.code === 'store_unavailable') throw error;
          deps.log.warn({ err: error, tenant, job_id: id }, 'lost task not put back, trying again');
          return false;
        });
        if (restoredOne) restored += 1;
      }
      if (page.length < pageSize) return restored;
    }
  }

  /**
   * Events that nobody announces, and mail that nobody delivers. What can be neither announced nor delivered for now stays
   * in the first pages and hides the rest, which is looked through only now and then: it costs time in proportion.
   *
   * @returns how many tasks were put back.
   */
  async function refillWebhooks(tenant: string, isThorough: boolean): Promise<number> {
    const settledBefore = deps.clock() - settleMs;
    let restored = 0;
    for (let offset = 0; ; offset += pageSize) {
      const page = { beforeMs: settledBefore, limit: pageSize, offset };
      const events = await deps.events.listUndispatched(tenant, page);
      const { dispatchTasks, isLast } = await deps.deliveryQueues.overdue(tenant, page);
      const tasks = [
        ...events.map((id) => ({ kind: 'dispatch_event' as const, id, taskId: id })),
        ...dispatchTasks.map(({ destinationKey, taskId }) => ({
          kind: 'deliver_pending' as const,
          id: destinationKey,
          taskId,
        })),
      ];
      const known = await deps.webhookQueue.has(tasks.map(({ taskId }) => taskId));
      const lost = tasks.filter((_, i) => !known[i]);
      for (const { kind, id, taskId } of lost) {
        await deps.webhookQueue.add({ kind, tenant, id }, { priority: 'normal', taskId });
      }
      restored += lost.length;
      if (!isThorough || (isLast && events.length < pageSize)) return restored;
    }
  }

  /** The number of unfinished jobs of every tenant whose records answer. */
  async function countOpen(
    tenants: readonly string[],
  ): Promise<{ open: Map<string, number>; fault: unknown }> {
    const open = new Map<string, number>();
    let fault: unknown;
    const count = async (tenant: string) => void open.set(tenant, await deps.records.countOpen(tenant));
    for (const counted of await Promise.allSettled(tenants.map(count))) {
      if (counted.status === 'rejected') fault = counted.reason;
    }
    return { open, fault };
  }

  let walks = 0;

  /**
   * Asking for every single task costs time in proportion to the backlog, so it is done where the queue holds fewer tasks
   * than there are unfinished jobs. A task that outlived its record can hide a missing one from that comparison, so from
   * time to time every one is looked for all the same.
   */
  async function isWalkDue(open: ReadonlyMap<string, number>): Promise<boolean> {
    const thorough = walks % thoroughEvery === 0;
    walks += 1;
    if (thorough) return true;
    const { waiting, delayed, active } = await deps.jobQueue.counts();
    return [...open.values()].reduce((sum, count) => sum + count, 0) > waiting + delayed + active;
  }

  /**
   * When the records of each tenant answered a round. Younger jobs are left alone: one that a hanging Redis writes as soon
   * as it goes on may be old by its own account, and has had no time to get its task, or to be taken back by whoever told
   * its caller 503.
   */
  let answeredAt: ReadonlyMap<string, number> = new Map();

  return async (): Promise<void> => {
    const tenants = await deps.records.tenants();
    const startedAt = deps.clock();
    const { open, fault } = await countOpen(tenants);
    const before = answeredAt;
    answeredAt = new Map([...open.keys()].map((tenant) => [tenant, startedAt]));
    const walk = before.size > 0 && (await isWalkDue(open));
    for (const [tenant, answeredBefore] of walk ? before : []) {
      const jobs = open.has(tenant) ? await refillImages(tenant, answeredBefore) : 0;
      if (jobs > 0) deps.log.warn({ tenant, jobs }, 'lost tasks put back into the queue');
    }
    // After all images: whatever is wrong with the webhooks of one tenant keeps none of them waiting.
    for (const tenant of open.keys()) {
      const webhooks = await refillWebhooks(tenant, walk);
      if (webhooks > 0) deps.log.warn({ tenant, webhooks }, 'lost tasks put back into the queue');
    }
    if (fault !== undefined) throw fault;
  };
}
