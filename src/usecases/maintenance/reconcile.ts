import { AppError } from '../../domain/errors.ts';
import { isChangeable, isTerminal } from '../../domain/image-job.ts';
import type {
  Clock,
  DeliveryQueues,
  JobQueue,
  JobStore,
  Log,
  TaskQueue,
  WebhookEvents,
} from '../../domain/ports.ts';

interface Deps {
  records: JobStore;
  events: WebhookEvents;
  deliveryQueues: DeliveryQueues;
  jobQueue: JobQueue;
  webhookQueue: TaskQueue;
  clock: Clock;
  log: Log;
}

const pageSize = 500;
/** Minimum age of an event or delivery, in milliseconds. A younger one may not have its task yet. */
const minAgeMs = 3_000;
/** Number of rounds between two complete comparisons of tasks and records. */
const thoroughEvery = 12;

/**
 * Re-enqueues tasks that are missing from the queues: for every unfinished job, undispatched event and delivery queue with
 * due deliveries. Call it repeatedly, some seconds apart. The jobs of a tenant are compared from the second call on.
 * Jobs that the first call found may be about to get their tasks.
 *
 * Idempotent and safe to run in several processes, because adding an existing task changes nothing.
 */
export function createReconcile(deps: Deps) {
  async function restore(tenant: string, id: string): Promise<boolean> {
    const job = await deps.records.get(tenant, id);
    if (!job || isTerminal(job.status) || !isChangeable(job)) return false;
    await deps.jobQueue.add(
      { kind: 'run_job', tenant, id },
      {
        priority: job.request?.priority ?? 'normal',
        keyId: job.keyId,
        isInterrupted: job.status === 'running',
      },
    );
    return true;
  }

  /** Times of changes that lie in the future of this process, as the last comparison found them. */
  let ahead: ReadonlyMap<string, number> = new Map();

  /** Creates the rule which jobs of a comparison have had the time to get their tasks. */
  function createSettledRule() {
    const before = ahead;
    const found = new Map<string, number>();
    ahead = found;
    const nowMs = deps.clock();
    return ({ id, changedAt }: { id: string; changedAt: number }, writtenBefore: number): boolean => {
      if (changedAt <= nowMs) return changedAt < writtenBefore;
      // The process that changed the job has another clock, so only two equal findings show that time has passed.
      found.set(id, changedAt);
      return before.get(id) === changedAt;
    };
  }

  /** Re-enqueues missing job tasks of a tenant. @returns the number of re-enqueued tasks. */
  async function refillImages(
    tenant: string,
    isSettled: (job: { id: string; changedAt: number }) => boolean,
  ): Promise<number> {
    let restored = 0;
    for (let offset = 0; ; offset += pageSize) {
      const page = await deps.records.openJobs(tenant, { offset, limit: pageSize });
      const settled = page.filter(isSettled).map((job) => job.id);
      const known = await deps.jobQueue.has(settled);
      for (const id of settled.filter((_, i) => !known[i])) {
        const restoredOne = await restore(tenant, id).catch((error) => {
          // The remaining jobs would fail too, because the store is down.
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
   * Re-enqueues missing tasks for undispatched events and due deliveries of a tenant. Undeliverable items fill the first
   * pages. A full scan runs only in some rounds, because its cost grows with the backlog.
   *
   * @returns the number of re-enqueued tasks.
   */
  async function refillWebhooks(tenant: string, isThorough: boolean): Promise<number> {
    const writtenBefore = deps.clock() - minAgeMs;
    let restored = 0;
    for (let offset = 0; ; offset += pageSize) {
      const page = { beforeMs: writtenBefore, limit: pageSize, offset };
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

  /** Counts the unfinished jobs of every tenant whose store is available. */
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
   * Returns whether every unfinished job is compared with its task in this round. The cost grows with the backlog, so this
   * happens if the queue holds fewer tasks than there are unfinished jobs. A task that outlived its record can hide a
   * missing task from these counts. Some rounds therefore compare all jobs.
   */
  async function isWalkDue(open: ReadonlyMap<string, number>): Promise<boolean> {
    const thorough = walks % thoroughEvery === 0;
    walks += 1;
    if (thorough) return true;
    const { waiting, delayed, active } = await deps.jobQueue.counts();
    return [...open.values()].reduce((sum, count) => sum + count, 0) > waiting + delayed + active;
  }

  /**
   * Start time of the last round in which the store of each tenant was available. Jobs that changed later are skipped.
   * A hanging Redis may write a job late, with an old timestamp. The API process then needs time to enqueue the job, or to
   * cancel it if the caller received 503.
   */
  let availableAt: ReadonlyMap<string, number> = new Map();

  return async (): Promise<void> => {
    const tenants = await deps.records.tenants();
    const startedAt = deps.clock();
    const { open, fault } = await countOpen(tenants);
    const before = availableAt;
    availableAt = new Map([...open.keys()].map((tenant) => [tenant, startedAt]));
    const walk = before.size > 0 && (await isWalkDue(open));
    const isSettled = walk ? createSettledRule() : () => false;
    for (const [tenant, availableBefore] of walk ? before : []) {
      const jobs = open.has(tenant)
        ? await refillImages(tenant, (job) => isSettled(job, availableBefore))
        : 0;
      if (jobs > 0) deps.log.warn({ tenant, jobs }, 'lost tasks put back into the queue');
    }
    // Webhooks follow after all jobs, because a webhook fault of one tenant must not delay any job.
    for (const tenant of open.keys()) {
      const webhooks = await refillWebhooks(tenant, walk);
      if (webhooks > 0) deps.log.warn({ tenant, webhooks }, 'lost tasks put back into the queue');
    }
    if (fault !== undefined) throw fault;
  };
}
