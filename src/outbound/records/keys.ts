import { createHash } from 'node:crypto';
import { dueAt, type ImageJob } from '../../domain/image-job.ts';
import { type EventPattern, type ImageEventType, patternsFor } from '../../domain/webhook-event.ts';

/**
 * The names of our keys. Those of one tenant share a hash tag, so that one script may touch them on a cluster.
 *
 *   {tenant}:job:ID      string  version and record, see record-codec.ts
 *   {tenant}:jobs        zset    all ids, ordered by id, which is by time of creation
 *   {tenant}:status:S    zset    the same, by status; also model:M and meta:DIGEST
 *   {tenant}:open        zset    unfinished ids by time of the last change
 *   {tenant}:due         zset    ids by the time they need attention: patience over, retention over
 *   {tenant}:idem:DIGEST string  fingerprint, space, id; expires by itself
 *   {tenant}:evt:ID      string  job id and record, until announced; then the bytes to send
 *   {tenant}:outbox      zset    ids of events that are not announced yet, by their time
 *   {tenant}:whk:ID      string  version and JSON of a webhook endpoint; whks: zset of all ids
 *   {tenant}:sub:PATTERN set     ids of endpoints that asked for it
 *   {tenant}:dlv:ID      string  version and JSON of a delivery; log:ID: list of its attempts
 *   {tenant}:dlvs        zset    ids of all deliveries, ordered by id, which is by time of the event; also dlvs:S by
 *                                status, dlvs:TARGET by receiver, dlvs:JOB by job; done: those that ended, by time
 *   {tenant}:box:TARGET  zset    pending deliveries to one receiver by next attempt; boxes: receivers by that
 *   {tenant}:rcv:TARGET  hash    how a receiver does, and who empties its mailbox until when
 *   tenants              set     every tenant that ever submitted
 *   {.gate}:LANE         string  until when and why no provider call may be made; expires by itself
 */
export function createKeys(prefix: string) {
  const of = (tenant: string, rest: string) => `${prefix}:{${tenant}}:${rest}`;
  return {
    job: (tenant: string, id: string) => of(tenant, `job:${id}`),
    jobs: (tenant: string) => of(tenant, 'jobs'),
    status: (tenant: string, status: string) => of(tenant, `status:${status}`),
    model: (tenant: string, model: string) => of(tenant, `model:${model}`),
    metadata: (tenant: string, key: string, value: string) =>
      of(
        tenant,
        `meta:${createHash('sha256')
          .update(JSON.stringify([key, value]))
          .digest('base64url')
          .slice(0, 22)}`,
      ),
    open: (tenant: string) => of(tenant, 'open'),
    due: (tenant: string) => of(tenant, 'due'),
    idempotency: (tenant: string, keyHash: string) => of(tenant, `idem:${keyHash}`),
    event: (tenant: string, id: string) => of(tenant, `evt:${id}`),
    outbox: (tenant: string) => of(tenant, 'outbox'),
    endpoint: (tenant: string, id: string) => of(tenant, `whk:${id}`),
    endpoints: (tenant: string) => of(tenant, 'whks'),
    subscribers: (tenant: string, pattern: EventPattern) => of(tenant, `sub:${pattern}`),
    delivery: (tenant: string, id: string) => of(tenant, `dlv:${id}`),
    deliveryLog: (tenant: string, id: string) => of(tenant, `log:${id}`),
    deliveries: (tenant: string) => of(tenant, 'dlvs'),
    /** @param by a status, a target or a job; their names never meet. */
    deliveriesBy: (tenant: string, by: string) => of(tenant, `dlvs:${by}`),
    endedDeliveries: (tenant: string) => of(tenant, 'done'),
    deliveryQueue: (tenant: string, destinationKey: string) => of(tenant, `box:${destinationKey}`),
    deliveryQueues: (tenant: string) => of(tenant, 'boxes'),
    destination: (tenant: string, destinationKey: string) => of(tenant, `rcv:${destinationKey}`),
    tenants: `${prefix}:tenants`,
    apiKey: (id: string) => `${prefix}:key:${id}`,
    apiKeys: `${prefix}:keys`,
    /** No tenant is called like this. */
    breaker: (scope: string) => `${prefix}:{.gate}:${scope}`,
    changed: `${prefix}:changed`,
    cancel: `${prefix}:cancel`,
    keyChanged: `${prefix}:key-changed`,
  };
}
export type Keys = ReturnType<typeof createKeys>;

/** The sets of endpoints that asked for an event, by each of the patterns that mean it. */
export function subscribersOf(keys: Keys, tenant: string, type: ImageEventType): string[] {
  return patternsFor(type).map((pattern) => keys.subscribers(tenant, pattern));
}

/** The score of a record in `due`: a time, or the end of the line while it needs nobody. */
export function dueScoreOf(job: ImageJob): number | '+inf' {
  return dueAt(job) ?? '+inf';
}

/** The indexes a record stands in. An erased one is in none: it can only be asked for by id. */
export function indexesOf(keys: Keys, job: ImageJob): string[] {
  if (job.erasedAt !== undefined || !job.request) return [];
  const { tenant, request } = job;
  return [
    keys.jobs(tenant),
    keys.status(tenant, job.status),
    keys.model(tenant, request.model),
    ...Object.entries(request.metadata ?? {}).map(([key, value]) => keys.metadata(tenant, key, value)),
  ];
}
