import type { Cluster, Redis } from 'ioredis';
import type { ImageJob } from '../../domain/image-job.ts';
import type { JobStore, SubmitOutcome } from '../../domain/ports.ts';
import { createBatches } from '../../lib/batches.ts';
import type { ProjectJob } from './job-projections.ts';
import type { Keys } from './keys.ts';
import { createSubmitJobs, type SubmitInput, type SubmitReply } from './scripts/submit-jobs.ts';

/** Function that submits a job of one tenant, together with other jobs that arrive at the same time. */
type TenantBatcher = (item: SubmitInput) => Promise<SubmitReply>;

const listAgainMs = 60_000;
/** Maximum jobs per call. A script blocks Redis, and this number of jobs blocks it for a quarter of a millisecond. */
const maxPerCall = 16;
/** Maximum number of batchers. Above it, all batchers are replaced, which costs a few calls that could have been shared. */
const maxBatchers = 10_000;

/**
 * Creates `JobStore.submit`. Jobs of one tenant that arrive together share a call of the script, which decides on each job
 * separately. Most of the cost of a submission is the call and the key names that all jobs share.
 *
 * @param deps.get reads a record.
 */
export function createSubmission(
  redis: Redis | Cluster,
  keys: Keys,
  deps: { project: ProjectJob; get: (tenant: string, id: string) => Promise<ImageJob | null> },
): JobStore['submit'] {
  const submitJobs = createSubmitJobs(redis, keys, deps.project);
  const batchers = new Map<string, TenantBatcher>();

  function batcherOf(tenant: string): TenantBatcher {
    const known = batchers.get(tenant);
    if (known) return known;
    if (batchers.size >= maxBatchers) batchers.clear();
    const batcher = createBatcher(tenant);
    batchers.set(tenant, batcher);
    return batcher;
  }

  function createBatcher(tenant: string): TenantBatcher {
    let listedAtMs = Number.NEGATIVE_INFINITY;

    /**
     * Adds the tenant to the list of tenants. The list is in another slot, so this happens before the submission. A tenant
     * without jobs is harmless. The call is repeated every minute, because a tenant that is missing from the list after a
     * loss of data is neither swept nor reconciled.
     */
    async function listTenant(): Promise<void> {
      const nowMs = performance.now();
      if (nowMs - listedAtMs < listAgainMs) return;
      await redis.sadd(keys.tenants, tenant);
      listedAtMs = nowMs;
    }

    return createBatches(
      async (items: readonly SubmitInput[]) => {
        await listTenant();
        return submitJobs(tenant, items);
      },
      { max: maxPerCall },
    );
  }

  return async function submit(input): Promise<SubmitOutcome> {
    const { tenant } = input.job;
    const reply = await batcherOf(tenant)(input);
    if (reply.kind === 'created') {
      const { eventWritten, hasMark } = reply;
      return { kind: 'created', ...(eventWritten ? { eventWritten } : {}), ...(hasMark ? { hasMark } : {}) };
    }
    if (reply.kind !== 'replayed') return reply;
    const held = await deps.get(tenant, reply.id);
    // The claim outlives the record, so that a retried request is not charged again after a short retention.
    return held ? { kind: 'replayed', job: held } : { kind: 'gone' };
  };
}
