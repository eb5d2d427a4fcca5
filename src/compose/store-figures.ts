import type {
  CircuitBreaker,
  Clock,
  DeliveryQueues,
  JobQueue,
  JobStore,
  OpenBreaker,
  QueueCounts,
  ReadStoreFigures,
  StoreFigures,
  StoreMemory,
  TaskQueue,
  UnarchivedJobs,
} from '../domain/ports.ts';

interface Deps {
  records: JobStore;
  deliveryQueues: DeliveryQueues;
  unarchived: Pick<UnarchivedJobs, 'oldestMs'>;
  jobQueue: JobQueue;
  webhookQueue: TaskQueue;
  breaker: Pick<CircuitBreaker, 'list'>;
  /** Returns whether Redis writes an append-only file, or `null` if Redis does not report it. */
  isAofOn: () => Promise<boolean | null>;
  /** Returns the memory of Redis, or `null` if Redis does not report it. */
  readMemory: () => Promise<StoreMemory | null>;
  clock: Clock;
}

/**
 * Creates a function that reads the figures of the whole deployment from the store. The function sends a constant number
 * of commands per tenant, all at once.
 *
 * @throws AppError `store_unavailable`
 */
export function createStoreFigures(deps: Deps): ReadStoreFigures {
  const { records, deliveryQueues, jobQueue, webhookQueue, breaker, clock } = deps;

  async function oldestSeconds(tenants: readonly string[], status: 'queued' | 'running'): Promise<number> {
    const created = await Promise.all(tenants.map((tenant) => records.oldestCreatedAt(tenant, status)));
    const nowMs = clock();
    return created.reduce<number>((oldest, at) => Math.max(oldest, (nowMs - (at ?? nowMs)) / 1000), 0);
  }

  async function unarchivedSeconds(tenants: readonly string[]): Promise<number> {
    const changed = await Promise.all(tenants.map((tenant) => deps.unarchived.oldestMs(tenant)));
    const nowMs = clock();
    // Records of earlier releases have no time of their change.
    return changed.reduce<number>((oldest, at) => Math.max(oldest, at ? (nowMs - at) / 1000 : 0), 0);
  }

  return async () => {
    const [jobs, webhooks, tenants, open, isAofOn, memory] = await Promise.all([
      jobQueue.counts(),
      webhookQueue.counts(),
      records.tenants(),
      breaker.list(),
      deps.isAofOn(),
      deps.readMemory(),
    ]);
    const [queued, running, unarchived, pending] = await Promise.all([
      oldestSeconds(tenants, 'queued'),
      oldestSeconds(tenants, 'running'),
      unarchivedSeconds(tenants),
      Promise.all(tenants.map((tenant) => deliveryQueues.countPending(tenant))),
    ]);
    return {
      queueTasks: [...depths('jobs', jobs), ...depths('webhooks', webhooks)],
      oldestJobs: [
        { state: 'queued', seconds: queued },
        { state: 'running', seconds: running },
      ],
      isAofOn,
      memory,
      unarchivedSeconds: unarchived,
      pendingDeliveries: pending.reduce((sum, count) => sum + count, 0),
      blockedScopes: countScopes(open),
    };
  };
}

function depths(queue: string, counts: QueueCounts) {
  return Object.entries(counts).map(([state, count]) => ({ queue, state, count }));
}

/** Counts open breakers by provider, kind of scope (`account` or `model`) and code. */
function countScopes(open: readonly OpenBreaker[]): StoreFigures['blockedScopes'] {
  const groups = new Map<string, StoreFigures['blockedScopes'][number]>();
  for (const { scope, code } of open) {
    const [provider = '', kind = ''] = scope.split(':');
    const group = `${provider} ${kind} ${code}`;
    groups.set(group, { provider, kind, code, count: (groups.get(group)?.count ?? 0) + 1 });
  }
  return [...groups.values()];
}
