import type { Cluster, Redis } from 'ioredis';
import type { ImageJob } from '../../domain/image-job.ts';
import type { JobStore, SubmitOutcome } from '../../domain/ports.ts';
import { createBatches } from '../../lib/batches.ts';
import type { Keys } from './keys.ts';
import { createScript } from './script.ts';
import { submitScript } from './scripts.ts';
import { callFor, type SubmitInput } from './submit-call.ts';

/** As `submitScript` says it. */
type Reply = string;
/** Takes the orders of one tenant. */
type TenantBatcher = (item: SubmitInput) => Promise<Reply>;

const listAgainMs = 60_000;
/** Redis does nothing else while a script runs: this many take it a quarter of a millisecond. */
const maxPerCall = 16;
/** Beyond that all are closed and opened anew, at the price of a few calls that could have been shared. */
const maxBatchers = 10_000;

/**
 * Accepts jobs, see `JobStore.submit`. Jobs of one tenant that come together share a call of the script, which decides
 * on each by itself: most of what a job costs here is the call and the names that are the same for all.
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
     * The list of tenants lives in another slot, so it is written first: a tenant without jobs does no harm. It is
     * written again now and then, since a tenant that is missing there, say after a loss of data, is neither swept nor
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
    // The claim outlives its record: a caller who comes again must not pay again because the record was kept shortly.
    return held ? { kind: 'replayed', job: held } : { kind: 'gone' };
  };
}
