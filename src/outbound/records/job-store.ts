import type { Cluster, Redis } from 'ioredis';
import { budgetExceeded } from '../../domain/budget.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { spentOf } from '../../domain/job-money.ts';
import type { Change, JobKey, JobStore, OnUnreadable, UpdateOptions } from '../../domain/ports.ts';
import { timeOf } from '../../lib/ids.ts';
import { type ProjectJob, projectJob } from './job-projections.ts';
import type { Keys } from './keys.ts';
import { createJobList } from './list-jobs.ts';
import { decodeRecord } from './record-codec.ts';
import { createRemoveJob } from './scripts/remove-job.ts';
import { createUpdateJob } from './scripts/update-job.ts';
import { translated } from './store-errors.ts';
import { createSubmission } from './submission.ts';
import { versionLength, versionOf } from './versioned-json.ts';

interface JobStoreOptions {
  readonly writes?: Redis | Cluster;
  readonly onUnreadable?: OnUnreadable;
  readonly project?: ProjectJob;
}

/**
 * Creates the store of job records in Redis. See the port for the guarantees and `keys.ts` for the layout.
 *
 * @param options.writes the connection for every change of a record. Default `redis`. One connection preserves the order
 *   of commands, so that the cancellation of an unconfirmed job never overtakes its submission in a slow Redis.
 * @param options.onUnreadable called for each record that a list skips.
 * @param options.project derives indexes and counters. Default `projectJob`.
 */
export function createJobStore(
  redis: Redis | Cluster,
  keys: Keys,
  { writes = redis, onUnreadable, project = projectJob }: JobStoreOptions = {},
): JobStore {
  const updateJob = createUpdateJob(writes, keys, project);
  const removeJob = createRemoveJob(writes, keys, project);

  async function get(tenant: string, id: string, connection = redis): Promise<ImageJob | null> {
    const text = await connection.get(keys.job(tenant, id));
    return text === null ? null : decodeRecord(tenant, id, text);
  }

  const submit = createSubmission(writes, keys, { project, get });

  async function write(
    before: ImageJob,
    change: Change,
    { onEvent, onCapped, onMark, capsOf, budgetsOf }: UpdateOptions,
  ): Promise<ImageJob | 'gone' | string> {
    const { event } = change;
    // A run that restores what the store lost has seen higher versions.
    const after = { ...change.job, version: Math.max(before.version, change.job.version) + 1 };
    const rise = (after.hold ?? 0) - (before.hold ?? 0);
    const caps = rise > 0 ? await capsOf?.(after) : undefined;
    const moneyRise = rise + spentOf(after) - spentOf(before);
    const budgets = caps || moneyRise <= 0 ? undefined : await budgetsOf?.(after);
    const booking = caps ? { caps, amount: rise, mustFit: true } : { caps: budgets, amount: moneyRise };
    const reply = await updateJob({ before, after, event, booking });
    if ('hasMark' in reply && reply.hasMark) onMark?.();
    if (reply.kind === 'capped') {
      onCapped?.(reply.refusal);
      throw budgetExceeded(reply.refusal, rise);
    }
    if (reply.kind === 'missing') return 'gone';
    if (reply.kind === 'conflict') return reply.record;
    if (event && reply.eventWritten) onEvent?.(event);
    return after;
  }

  async function update(
    { tenant, id }: JobKey,
    change: (job: ImageJob) => Change | null,
    options: UpdateOptions = {},
  ): Promise<ImageJob | null> {
    let current = options.known ?? (await get(tenant, id, writes));
    while (current) {
      const next = change(current);
      if (next === null) return current;
      const outcome = await write(current, next, options);
      if (typeof outcome === 'object') return outcome;
      current = outcome === 'gone' ? null : decodeRecord(tenant, id, outcome);
    }
    return null;
  }

  async function remove(job: ImageJob): Promise<boolean> {
    let reply = await removeJob(job);
    // The given copy may be outdated.
    while (reply.kind === 'conflict') reply = await removeJob(decodeRecord(job.tenant, job.id, reply.record));
    return reply.kind === 'removed';
  }

  const list = createJobList(redis, keys, onUnreadable);
  return {
    submit: (input) => translated(() => submit(input)),
    findByKey: (tenant, claim) =>
      translated(async () => {
        const held = await redis.get(keys.idempotency(tenant, claim.keyHash));
        if (held === null) return null;
        const [fingerprint, id = ''] = held.split(' ');
        if (fingerprint !== claim.fingerprint) return { kind: 'key_reused' };
        const job = await get(tenant, id);
        return job ? { kind: 'replayed', job } : { kind: 'gone' };
      }),
    get: (tenant, id) => translated(() => get(tenant, id)),
    versionOf: (tenant, id) =>
      translated(async () => versionOf(await redis.getrange(keys.job(tenant, id), 0, versionLength))),
    update: (key, change, options) => translated(() => update(key, change, options)),
    list: (tenant, query) => translated(() => list(tenant, query)),
    tenants: () => translated(() => redis.smembers(keys.tenants)),
    countOpen: (tenant) => translated(() => redis.zcard(keys.open(tenant))),
    oldestCreatedAt: (tenant, status) =>
      translated(async () => {
        const [oldest] = await redis.zrange(keys.status(tenant, status), 0, '0');
        return oldest === undefined ? null : timeOf(oldest);
      }),
    openJobs: (tenant, { offset, limit }) =>
      translated(async () => {
        const flat = await redis.zrange(keys.open(tenant), offset, String(offset + limit - 1), 'WITHSCORES');
        return pairs(flat).map(([id, score]) => ({ id, changedAt: Number(score) }));
      }),
    dueJobs: (tenant, now, { offset, limit }) =>
      translated(() => redis.zrangebyscore(keys.due(tenant), '-inf', now, 'LIMIT', offset, limit)),
    areOpen: (tenant, ids) =>
      translated(async () => {
        if (ids.length === 0) return [];
        return (await redis.zmscore(keys.open(tenant), ...ids)).map((score) => score !== null);
      }),
    withoutThumbnails: (tenant, { fromMs, toMs, limit }) =>
      translated(async () => {
        const key = keys.withoutThumbnails(tenant);
        const ids = await redis.zrangebyscore(key, fromMs, toMs, 'LIMIT', 0, limit);
        await writes.zremrangebyscore(key, '-inf', `(${fromMs}`);
        return ids;
      }),
    remove: (job) => translated(() => remove(job)),
  };
}

function pairs(flat: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) result.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return result;
}
