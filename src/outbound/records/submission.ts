import type { Cluster, Redis } from 'ioredis';
import type { ImageJob } from '../../domain/image-job.ts';
import type { JobStore, SubmitOutcome } from '../../domain/ports.ts';
import { createBatches } from '../../lib/batches.ts';
import type { Keys } from './keys.ts';
import { createScript } from './script.ts';
import { submitScript } from './scripts.ts';
import { callFor, type SubmitInput } from './submit-call.ts';

/** Reply of `submitScript` for one job. */
type Reply = string;
/** Submits the jobs of one tenant in batches. */
type TenantBatcher = (item: SubmitInput) => Promise<Reply>;

const listAgainMs = 60_000;
/** Maximum jobs per call. Redis does nothing else during a script, and this many take a quarter of a millisecond. */
const maxPerCall = 16;
/** Maximum number of batchers. Beyond it all are replaced, which costs a few calls that could have been shared. */
const maxBatchers = 10_000;

/**
 * Creates `JobStore.submit`. Jobs of one tenant that arrive together share a call of the script, which decides on each job
 * separately. Most of the cost of a submission is the call and the key names that all jobs share.
 *
 * @param get reads a record.
 */
export function createSubmission(
  redis: Redis | Cluster,
  keys: Keys,
  get: (tenant: string, id: string) => Promise<ImageJob | null>,
): JobStore['submit'] {
  const submitJobs = createScript(redis, submitScript);
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
     * Adds the tenant to the list of tenants. The list is in another slot, so this happens first: a tenant without jobs is
     * harmless. Repeated every minute, because a tenant missing from the list after a loss of data is neither swept nor
     * reconciled.
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
        return callScript(tenant, items);
      },
      { max: maxPerCall },
    );
  }

  async function callScript(tenant: string, items: readonly SubmitInput[]): Promise<Reply[]> {
    const { names, values } = callFor(keys, tenant, items);
    return (await submitJobs(names, values)) as Reply[];
  }

  return async function submit(input): Promise<SubmitOutcome> {
    const { tenant } = input.job;
    const reply = await batcherOf(tenant)(input);
    if (reply === 'created') return { kind: 'created' };
    if (reply === 'told') return { kind: 'created', eventWritten: true };
    if (reply === 'key_reused' || reply === 'queue_full') return { kind: reply };
    const held = await get(tenant, reply.slice('replayed '.length));
    // The claim outlives the record, so that a retried request is not paid again after a short retention.
    return held ? { kind: 'replayed', job: held } : { kind: 'gone' };
  };
}
