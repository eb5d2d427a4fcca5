import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { auditEntryOf } from '../domain/audit.ts';
import { capsOf } from '../domain/budget.ts';
import type { ImageJob } from '../domain/image-job.ts';
import { withHold } from '../domain/job-money.ts';
import type { ApiKeys, ImageStorage, JobStore, Tenants } from '../domain/ports.ts';
import type { UsageTools } from '../inbound/cli/usage-tools.ts';
import { ulid } from '../lib/ids.ts';
import type { RedisClient } from '../lib/redis/redis.ts';
import { createApiKeys } from '../outbound/records/api-keys.ts';
import { createAuditLog } from '../outbound/records/audit-log.ts';
import { createJobStore } from '../outbound/records/job-store.ts';
import { createKeys } from '../outbound/records/keys.ts';
import { createTenants } from '../outbound/records/tenants.ts';
import { createUnarchivedJobs } from '../outbound/records/unarchived-jobs.ts';
import { createUsageCounters } from '../outbound/records/usage-rows.ts';
import { createSettleJob } from '../usecases/jobs/settle-job.ts';
import type { UpdateJob } from '../usecases/jobs/update-job.ts';
import { createUsage } from '../usecases/usage/index.ts';
import { createReconcileBill } from '../usecases/usage/reconcile-bill.ts';
import { auditBoundsOf, keyBoundsOf } from './audit-bounds.ts';
import { composeStorage } from './storage.ts';
import { redisTargetOf, withRedis } from './tools.ts';

/** Runs work with the usage and the ledger of the deployment. */
export async function withUsage<T>(
  config: Config,
  log: Logger,
  work: (tools: UsageTools) => Promise<T>,
): Promise<T> {
  // Reading and writing files needs no links, so the key that signs them does not matter.
  const storage = composeStorage(config, config.SECRETS_KEY ?? Buffer.alloc(32));
  try {
    return await withRedis(await redisTargetOf(config), { config, log }, (redis) =>
      work(toolsOf(redis, { config, log, storage })),
    );
  } finally {
    await storage.close();
  }
}

function toolsOf(
  redis: RedisClient,
  { config, log, storage }: { readonly config: Config; readonly log: Logger; readonly storage: ImageStorage },
): UsageTools {
  const keys = createKeys(config.REDIS_KEY_PREFIX);
  const records = createJobStore(redis, keys);
  const usage = createUsage({
    records,
    usageCounters: createUsageCounters(redis, keys, { maxRows: config.MAX_USAGE_ROWS }),
    unarchived: createUnarchivedJobs(redis, keys),
    storage,
    createName: () => ulid(Date.now()),
    policy: usagePolicyOf(config),
    clock: Date.now,
    meter: { ledgerArchived() {} },
    log,
  });
  const audit = createAuditLog(redis, keys, { audit: auditBoundsOf(config) });
  const updateJob = updateRecords(records, {
    apiKeys: createApiKeys(redis, keys, keyBoundsOf(config)),
    tenants: createTenants(redis, keys, { audit: auditBoundsOf(config) }),
    log,
  });
  const settleJob = createSettleJob({
    ...{ records, updateJob, appendAudit: audit.appendErasure, clock: Date.now },
  });
  return {
    tenants: records.tenants,
    reportUsage: usage.reportUsage,
    reconcileBill: createReconcileBill({ records, readLedger: usage.readLedger }),
    async settle({ tenant, jobId, attempt }, microUsd) {
      await settleJob({ tenant, id: jobId, attemptNo: attempt, microUsd }, (at) =>
        auditEntryOf(
          { kind: 'command_line' },
          { at, tenant, action: 'charge.settled', target: jobId, fields: ['micro_usd'] },
        ),
      );
    },
  };
}

/** Returns the settings of usage and ledger. */
export const usagePolicyOf = (config: Config) => ({
  metadataKeys: config.USAGE_METADATA_KEYS,
  ledgerTtlMs: config.LEDGER_TTL_S * 1000,
  usageTtlMs: config.USAGE_TTL_S * 1000,
});

interface PolicySources {
  readonly apiKeys: Pick<ApiKeys, 'get'>;
  readonly tenants: Pick<Tenants, 'get'>;
  readonly log: Logger;
}

/**
 * Changes records without the events and calls that follow a change of status, because a settlement changes none. A reached
 * threshold is marked. The sweeper of the service reports it.
 */
function updateRecords(records: JobStore, { apiKeys, tenants, log }: PolicySources): UpdateJob {
  async function budgetsOf({ tenant, keyId, createdAt }: ImageJob) {
    const [key, owner] = await Promise.all([
      keyId === undefined ? null : apiKeys.get(keyId),
      tenants.get(tenant),
    ]);
    const policy = { key: key?.tenant === tenant ? key : {}, tenant: owner ?? {} };
    return capsOf(policy, keyId, { acceptedAtMs: createdAt, nowMs: Date.now() });
  }
  return (key, change, known) =>
    records.update(
      key,
      (job) => {
        const next = change(job);
        return next === null ? null : { job: withHold(next) };
      },
      {
        known,
        budgetsOf: (job) =>
          budgetsOf(job).catch((error) => {
            log.warn(
              { err: error, job_id: job.id },
              'budgets not read; the next job will report their thresholds',
            );
            return [];
          }),
      },
    );
}
