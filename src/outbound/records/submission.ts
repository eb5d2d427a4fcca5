import type { Cluster, Redis } from 'ioredis';
import { dueAt, type ImageJob } from '../../domain/image-job.ts';
import type { ImageRecords, SubmitOutcome } from '../../domain/ports.ts';
import { eventOf, patternsFor } from '../../domain/webhook-event.ts';
import { createBatches } from '../../lib/batches.ts';
import { indexesOf, type Keys } from './keys.ts';
import { encodeRecord } from './record-codec.ts';
import { createScript } from './script.ts';
import { submitScript } from './scripts.ts';

interface Order {
  readonly input: Parameters<ImageRecords['submit']>[0];
  /** Id of a job whose claim may be taken over, because its record is gone. */
  readonly takeOver: string;
}
type Reply = [SubmitOutcome['kind'], (string | number)?];

const noOne = '-';
const never = '+inf';
const listAgainMs = 60_000;
/** Redis does nothing else while a script runs: this many take it about a millisecond. */
const mostPerCall = 64;

/**
 * Accepts jobs, see `ImageRecords.submit`. Jobs of one tenant that come together share a call of the script, which decides
 * on each by itself: most of what a job costs here is the call and the names that are the same for all.
 *
 * @param get reads a record.
 */
export function createSubmission(
  redis: Redis | Cluster,
  keys: Keys,
  get: (tenant: string, id: string) => Promise<ImageJob | null>,
): ImageRecords['submit'] {
  const submitJobs = createScript(redis, submitScript);
  const listedAt = new Map<string, number>();
  const senders = new Map<string, (order: Order) => Promise<Reply>>();

  /**
   * The list of tenants lives in another slot, so it is written first: a tenant without jobs does no harm. It is written
   * again now and then, since a tenant that is missing there, say after a loss of data, is neither swept nor reconciled.
   */
  async function listTenant(tenant: string): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - (listedAt.get(tenant) ?? Number.NEGATIVE_INFINITY) < listAgainMs) return;
    await redis.sadd(keys.tenants, tenant);
    listedAt.set(tenant, nowMs);
  }

  function senderOf(tenant: string): (order: Order) => Promise<Reply> {
    const known = senders.get(tenant);
    if (known) return known;
    const sender = createBatches((orders: readonly Order[]) => sendTogether(tenant, orders));
    senders.set(tenant, sender);
    return sender;
  }

  async function sendTogether(tenant: string, orders: readonly Order[]): Promise<Reply[]> {
    await listTenant(tenant);
    const calls: Promise<Reply[]>[] = [];
    for (let i = 0; i < orders.length; i += mostPerCall) {
      calls.push(callScript(tenant, orders.slice(i, i + mostPerCall)));
    }
    return (await Promise.all(calls)).flat();
  }

  async function callScript(tenant: string, orders: readonly Order[]): Promise<Reply[]> {
    const names = [
      keys.open(tenant),
      keys.due(tenant),
      keys.outbox(tenant),
      ...patternsFor(eventOf('queued')).map((pattern) => keys.subscribers(tenant, pattern)),
    ];
    const values: (string | number)[] = [];
    for (const order of orders) addOrder(keys, order, names, values);
    return (await submitJobs(names, values)) as Reply[];
  }

  return async function submit(input, takeOver = noOne): Promise<SubmitOutcome> {
    const { tenant } = input.job;
    const [outcome, more] = await senderOf(tenant)({ input, takeOver });
    if (outcome === 'created') return { kind: outcome, ...(more === 1 ? { told: true } : {}) };
    if (outcome !== 'replayed') return { kind: outcome };
    const heldId = String(more);
    const held = await get(tenant, heldId);
    // The claim outlives its record by a safety margin: a record that is gone frees the key.
    return held ? { kind: 'replayed', job: held } : submit(input, heldId);
  };
}

/** Adds what the script wants to know of one job. */
function addOrder(
  keys: Keys,
  { input, takeOver }: Order,
  names: string[],
  values: (string | number)[],
): void {
  const { job, claim, event } = input;
  const { tenant, id } = job;
  const indexes = indexesOf(keys, job);
  names.push(keys.job(tenant, id), keys.event(tenant, event?.id ?? noOne));
  values.push(id, encodeRecord(job), job.updatedAt, dueAt(job) ?? never, input.maxOpenJobs);
  values.push(event?.id ?? '', event?.wanted ? '1' : '', indexes.length, claim?.fingerprint ?? '');
  if (claim) {
    names.push(keys.idempotency(tenant, claim.keyHash));
    values.push(claim.ttlMs, takeOver);
  }
  names.push(...indexes);
}
