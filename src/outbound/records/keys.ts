import { createHash } from 'node:crypto';
import type { Open } from '../../domain/open.ts';
import { type EventType, patternsFor } from '../../domain/webhook-event.ts';

/**
 * Creates the names of all Redis keys. All keys of one tenant share a hash tag, so that one script may use them on a cluster.
 *
 *   {tenant}:job:ID      string  the record as JSON with its version first, see versioned-json.ts
 *   {tenant}:jobs        zset    all ids, ordered by id and therefore by creation
 *   {tenant}:status:S    zset    the same by status; also model:M, meta:DIGEST and children:ID
 *   {tenant}:enhancing   zset    ids of waiting enhancements, which no list contains
 *   {tenant}:changes     stream  changes of jobs of the last hour, only while there are listeners
 *   {tenant}:open        zset    unfinished ids by the time of the last change
 *   {tenant}:due         zset    ids by the time at which the sweeper has to act: end of queue TTL or retention
 *   {tenant}:usage:d:DAY hash    usage of the jobs accepted on a day; also m:MONTH, t:MONTH and rows, see usage-counters.ts
 *   {tenant}:usage:unarchived zset  ids of ended jobs with lines of the ledger that are not archived, by the time of the
 *                                change; usage:archive: hash, its progress; usage:archiver: string, the lock of its writer
 *   {tenant}:thumbs      zset    succeeded ids of the last hour whose images lack thumbnails, by their end
 *   {tenant}:bytes       string  size of all records in bytes
 *   {tenant}:blocks      string  number of prompts that moderation blocked lately; throttle: exists while the tenant is throttled
 *   {tenant}:idem:DIGEST string  fingerprint, space, id; expires by TTL
 *   {tenant}:evt:ID      string  job id, space, record until the event is dispatched; then the body to send
 *   {tenant}:outbox      zset    ids of undispatched events by their time
 *   {tenant}:upl:ID      string  an upload as JSON with its version first; upls: zset of all ids; upls:due: by expiry;
 *                                upls:bytes: total size
 *   {tenant}:drafts      zset    ids of jobs and uploads whose bytes may exist without a record, by time
 *   {tenant}:load        hash    number of waiting jobs by key: 'KEY.queued'
 *   {tenant}:rate:OWNER:LIMIT  string  time at which the quota of requests of a key, or of the tenant (t), is whole again
 *   {tenant}:spend       hash    micro-USD held and spent by the tenant (t) and by each key, by day, week, month and in total,
 *                                see money-counters.ts; reported shares of budgets, see scripts/reported-shares.ts
 *   {tenant}:spend:compared  string  exists for some minutes after the holds of a tenant were compared with its records
 *   {tenant}:spend:removed  string  exists for a day after the counters of old windows were removed
 *   {tenant}:thresholds  zset    thresholds of budgets that no event reports yet, by time
 *   {tenant}:unsettled   zset    ids of ended jobs with a hold for a charge that is not settled, by creation
 *   {tenant}:whk:ID      string  a webhook endpoint as JSON with its version first; whks: zset of all ids
 *   {tenant}:sub:PATTERN set     ids of endpoints that subscribed to a pattern
 *   {tenant}:dlv:ID      string  a delivery as JSON with its version first; log:ID: list of its attempts
 *   {tenant}:dlvs        zset    ids of all deliveries, ordered by id and therefore by the time of the event; also dlvs:S by
 *                                status, dlvs:D by destination, dlvs:JOB by job; done: ended ones by time; tests: ids of test
 *                                deliveries by time
 *   {tenant}:dlvq:D      zset    pending deliveries to one destination by next attempt; dlvqs: destinations by that time
 *   {tenant}:dest:D      hash    health of a destination, and the lease of its delivery queue: leaseRun, leaseUntil,
 *                                leaseEpoch (raised by every acquire and release), nextRunAt (earliest scheduled run) and
 *                                interruptedRun (the run that ends, because the endpoint has changed)
 *   {tenant}:sends       hash    webhook requests of the last minute by slice; sends:HOST: the same for one host, with its breaker
 *   {tenant}:callers:GROUP  hash  jobs of equal requests whose callers wait or left, by job id, see scripts/claim-job.ts
 *   {tenant}:waiters:NAME  set   requests that wait for a job, only if a disconnect cancels jobs; NAME is its id or idempotency key
 *   runs:WORKER          set     jobs that a worker process runs, see worker-runs.ts
 *   processes            hash    reports of processes about themselves as JSON, see process-states.ts
 *   {tenant}:tenant      string  rules of the tenant as JSON with their version first
 *   {tenant}:key:ID      string  an API key as JSON with its version first; keys: zset of all, ordered by creation;
 *                                keys:used: hash of the times of last use
 *   {tenant}:audit       stream  audit log; audit:erased: the part about erased jobs and deleted uploads
 *   key:ID               string  tenant of an API key; never changes. keys: zset of the keys of all tenants
 *   policies             stream  recent changes of keys and tenants; policies:tenants: set of all tenants with rules
 *   tenants              set     every tenant that ever submitted
 *   {.tokens}:samples    hash    tokens of the last images of a kind, see token-samples.ts; summary: hash of their figures;
 *                                kinds: zset of kinds by the time of the last image
 *   {.breaker}:open      hash    open circuit breakers of provider calls: scope to state as JSON
 *   {.breaker}:probe:SCOPE string  the probe of a half-open circuit breaker; expires by TTL
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
    children: (tenant: string, parentId: string) => of(tenant, `children:${parentId}`),
    changes: (tenant: string) => of(tenant, 'changes'),
    open: (tenant: string) => of(tenant, 'open'),
    due: (tenant: string) => of(tenant, 'due'),
    usage: (tenant: string, part: string) => of(tenant, `usage:${part}`),
    withoutThumbnails: (tenant: string) => of(tenant, 'thumbs'),
    recordBytes: (tenant: string) => of(tenant, 'bytes'),
    moderationBlocks: (tenant: string) => of(tenant, 'blocks'),
    moderationThrottle: (tenant: string) => of(tenant, 'throttle'),
    idempotency: (tenant: string, keyHash: string) => of(tenant, `idem:${keyHash}`),
    event: (tenant: string, id: string) => of(tenant, `evt:${id}`),
    outbox: (tenant: string) => of(tenant, 'outbox'),
    ...createLimitKeys(of),
    ...uploadKeys(of),
    endpoint: (tenant: string, id: string) => of(tenant, `whk:${id}`),
    endpoints: (tenant: string) => of(tenant, 'whks'),
    subscribers: (tenant: string, pattern: string) => of(tenant, `sub:${pattern}`),
    ...deliveryKeys(of),
    deliveryQueue: (tenant: string, destinationKey: string) => of(tenant, `dlvq:${destinationKey}`),
    deliveryQueues: (tenant: string) => of(tenant, 'dlvqs'),
    destination: (tenant: string, destinationKey: string) => of(tenant, `dest:${destinationKey}`),
    sends: (tenant: string) => of(tenant, 'sends'),
    sendsTo: (tenant: string, host: string) => of(tenant, `sends:${host}`),
    waitingCallers: (tenant: string, group: string) => of(tenant, `callers:${group}`),
    waitersOf: (tenant: string, name: string) => of(tenant, `waiters:${name}`),
    ...processKeys(prefix),
    tenants: `${prefix}:tenants`,
    ...accessKeys(prefix, of),
    ...moneyKeys(of),
    /** Returns a key of the circuit breakers. No tenant can have the name `.breaker`. */
    breaker: (scope: string) => `${prefix}:{.breaker}:${scope}`,
    /** Returns a key of the tokens of earlier images. No tenant can have the name `.tokens`. */
    tokens: (rest: 'samples' | 'summary' | 'kinds') => `${prefix}:{.tokens}:${rest}`,
    changed: `${prefix}:changed`,
    cancel: `${prefix}:cancel`,
  };
}

/** Creates the names of the keys of processes. */
function processKeys(prefix: string) {
  return {
    presence: (process: string) => `${prefix}:presence:${process}`,
    workerRuns: (worker: string) => `${prefix}:runs:${worker}`,
    processes: `${prefix}:processes`,
  };
}

/** Creates the names of the keys of limits. */
function createLimitKeys(of: (tenant: string, rest: string) => string) {
  return {
    load: (tenant: string) => of(tenant, 'load'),
    waitingEnhancements: (tenant: string) => of(tenant, 'enhancing'),
    /** A changed limit has another key, because the stored time depends on the limit. */
    requestRate: (tenant: string, owner: string, limit: number) => of(tenant, `rate:${owner}:${limit}`),
  };
}

/** Creates the names of the keys of uploads. */
function uploadKeys(of: (tenant: string, rest: string) => string) {
  return {
    upload: (tenant: string, id: string) => of(tenant, `upl:${id}`),
    uploads: (tenant: string) => of(tenant, 'upls'),
    expiringUploads: (tenant: string) => of(tenant, 'upls:due'),
    uploadBytes: (tenant: string) => of(tenant, 'upls:bytes'),
    inputDrafts: (tenant: string) => of(tenant, 'drafts'),
  };
}

/** Creates the names of the keys of the delivery log. */
function deliveryKeys(of: (tenant: string, rest: string) => string) {
  return {
    delivery: (tenant: string, id: string) => of(tenant, `dlv:${id}`),
    deliveryLog: (tenant: string, id: string) => of(tenant, `log:${id}`),
    deliveries: (tenant: string) => of(tenant, 'dlvs'),
    /** @param by a status, a destination or a job. Their names never collide. */
    deliveriesBy: (tenant: string, by: string) => of(tenant, `dlvs:${by}`),
    endedDeliveries: (tenant: string) => of(tenant, 'done'),
    testDeliveries: (tenant: string) => of(tenant, 'tests'),
  };
}

export type Keys = ReturnType<typeof createKeys>;

/** Returns the names of the keys of budgets and holds. */
function moneyKeys(of: (tenant: string, rest: string) => string) {
  return {
    spend: (tenant: string) => of(tenant, 'spend'),
    thresholds: (tenant: string) => of(tenant, 'thresholds'),
    unsettled: (tenant: string) => of(tenant, 'unsettled'),
    oldSpending: (tenant: string) => of(tenant, 'spend:removed'),
    comparison: (tenant: string) => of(tenant, 'spend:compared'),
  };
}

/** Returns the names of the keys of API keys, tenants and audit logs. */
function accessKeys(prefix: string, of: (tenant: string, rest: string) => string) {
  return {
    tenant: (tenant: string) => of(tenant, 'tenant'),
    apiKey: (tenant: string, id: string) => of(tenant, `key:${id}`),
    apiKeysOf: (tenant: string) => of(tenant, 'keys'),
    keyUse: (tenant: string) => of(tenant, 'keys:used'),
    audit: (tenant: string) => of(tenant, 'audit'),
    erasures: (tenant: string) => of(tenant, 'audit:erased'),
    apiKeyTenant: (id: string) => `${prefix}:key:${id}`,
    apiKeys: `${prefix}:keys`,
    policyChanges: `${prefix}:policies`,
    tenantRecords: `${prefix}:policies:tenants`,
    policyChanged: `${prefix}:policy-changed`,
  };
}

/** Returns the sets of endpoints that subscribed to an event type, one for each matching pattern. */
export function subscribersOf(keys: Keys, tenant: string, type: Open<EventType>): string[] {
  return patternsFor(type).map((pattern) => keys.subscribers(tenant, pattern));
}
