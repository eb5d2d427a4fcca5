import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import type { CallerPolicy } from '../../src/domain/access-policy.ts';
import { createEstimate } from '../../src/domain/estimate.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import type { ModelCatalogue } from '../../src/domain/model-catalogue.ts';
import type { UnarchivedJobs } from '../../src/domain/ports.ts';
import { createPresets, PresetFile } from '../../src/domain/preset.ts';
import { labelsOf } from '../../src/domain/usage.ts';
import { createKeyedDigest } from '../../src/lib/crypto/keyed-digest.ts';
import { readBuiltIn } from '../../src/lib/data-files.ts';
import { ids, ulid } from '../../src/lib/ids.ts';
import {
  createProducerRedis,
  createSubscriberRedis,
  type RedisClient,
  whenRedisReady,
} from '../../src/lib/redis/redis.ts';
import { createJobQueue } from '../../src/outbound/queue/job-queue.ts';
import { queueNames } from '../../src/outbound/queue/queue-names.ts';
import { createTaskQueue } from '../../src/outbound/queue/task-queue.ts';
import { createAuditLog } from '../../src/outbound/records/audit-log.ts';
import { createBudgetThresholds } from '../../src/outbound/records/budget-thresholds.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import { createSignals } from '../../src/outbound/records/signals.ts';
import { createSpending } from '../../src/outbound/records/spending.ts';
import { createUnarchivedJobs } from '../../src/outbound/records/unarchived-jobs.ts';
import { createUsageCounters } from '../../src/outbound/records/usage-rows.ts';
import { createDeliveries } from '../../src/outbound/records/webhooks/deliveries.ts';
import { createDeliveryQueues } from '../../src/outbound/records/webhooks/delivery-queues.ts';
import { createSendLimits } from '../../src/outbound/records/webhooks/send-limits.ts';
import { createWebhookEndpoints } from '../../src/outbound/records/webhooks/webhook-endpoints.ts';
import { createWebhookEvents } from '../../src/outbound/records/webhooks/webhook-events.ts';
import { createFilesystemStorage } from '../../src/outbound/storage/filesystem/filesystem-storage.ts';
import { createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import { createFindStoredInput } from '../../src/usecases/inputs/find-stored-input.ts';
import { createPrepareInputs } from '../../src/usecases/inputs/prepare-inputs.ts';
import { createAcceptJob } from '../../src/usecases/jobs/accept-job.ts';
import { createCancelJob } from '../../src/usecases/jobs/cancel-job.ts';
import { createCancelProviderCalls } from '../../src/usecases/jobs/cancel-provider-calls.ts';
import { createExpireJob } from '../../src/usecases/jobs/expire-job.ts';
import { createGetJob } from '../../src/usecases/jobs/get-job.ts';
import { createSubmitJob, type SubmitPolicy } from '../../src/usecases/jobs/submit-job.ts';
import { createUpdateJob } from '../../src/usecases/jobs/update-job.ts';
import { createReconcile } from '../../src/usecases/maintenance/reconcile.ts';
import { createSweep } from '../../src/usecases/maintenance/sweep.ts';
import { createUsage } from '../../src/usecases/usage/index.ts';
import { auditBounds } from './api-keys.ts';
import { builtInCatalogue } from './catalogue.ts';
import { inputPorts } from './input-ports.ts';
import { budgetsOf } from './job-budgets.ts';
import { createdAt, idleMeter, retention, silentLog } from './jobs.ts';

export const policy: SubmitPolicy = {
  defaultModel: 'gpt-image-2',
  allowUnknownModels: true,
  allowUnknownCost: false,
  maxOpenJobsPerTenant: 100,
  storage: { maxRecords: 1_000, maxBytes: 1e9 },
  queueTtlSeconds: 600,
  runTimeoutSeconds: 300,
  maxMediaSeconds: 3_600,
  maxRecordSeconds: 7_200,
};

/** The language model that writes descriptions. */
export const enhanceModel = 'gpt-5.4-mini';

/** Retention of ended deliveries, in milliseconds. */
export const deliveryLogMs = 7 * 24 * 3_600_000;

interface Given {
  readonly policy?: Partial<SubmitPolicy>;
  readonly catalogue?: ModelCatalogue;
  /** Address of the queues. Default: the shared Redis. */
  readonly queueAddress?: string;
  /** Address of the records. Default: the shared Redis. */
  readonly recordsAddress?: string;
  /** Rules of every key and its tenant. Default: none. */
  readonly rules?: CallerPolicy;
}

interface Deployment {
  readonly redis: RedisClient;
  readonly prefix: string;
  /** Folder of the images. */
  readonly directory: string;
}

/**
 * Connects the use cases of one process to the shared Redis and to a folder of the test. The test sets the clock.
 * `beside` creates another process on the same data.
 */
export async function connectCore(given: Given = {}) {
  const prefix = `test-${ulid(Date.now()).toLowerCase()}`;
  const directory = await mkdtemp(join(tmpdir(), 'darkroom-core-'));
  const redis = await connect(given.recordsAddress ?? inject('redisPath'));
  onTestFinished(async () => {
    const left = await redis.keys(`*${prefix}*`);
    if (left.length > 0) await redis.unlink(...left);
    redis.disconnect();
    await rm(directory, { recursive: true, force: true });
  });
  const build = (more: Given = {}) => buildCore({ redis, prefix, directory }, { ...given, ...more });
  return { ...(await build()), redis, prefix, directory, beside: build };
}
export type Core = Awaited<ReturnType<typeof connectCore>>;

async function connect(address: string): Promise<RedisClient> {
  const client = createProducerRedis(address, { onError: () => undefined });
  if (!(await whenRedisReady(client, 10_000))) throw new Error(`no Redis responds at ${address}`);
  return client;
}

/** Connects the stores, queues and signals of one process, until the end of the test. */
async function connectStores({ redis, prefix }: Deployment, given: Given) {
  const keys = createKeys(prefix);
  const queueRedis = await connect(given.queueAddress ?? inject('redisPath'));
  const jobQueue = createJobQueue(queueRedis, queueNames(prefix).jobs);
  const webhookQueue = createTaskQueue(queueRedis, queueNames(prefix).webhooks);
  const subscriber = createSubscriberRedis(given.recordsAddress ?? inject('redisPath'), {
    onError: () => undefined,
  });
  const signals = createSignals(redis, subscriber, keys);
  await subscriber.ping();
  onTestFinished(async () => {
    signals.close();
    await jobQueue.close();
    await webhookQueue.close();
    queueRedis.disconnect();
    subscriber.disconnect();
  });
  const stores = {
    records: createJobStore(redis, keys),
    spending: createSpending(redis, keys),
    thresholds: createBudgetThresholds(redis, keys),
    events: createWebhookEvents(redis, keys),
    audit: createAuditLog(redis, keys, { audit: auditBounds }),
    deliveries: createDeliveries(redis, keys),
    deliveryQueues: createDeliveryQueues(redis, keys),
    sendLimits: createSendLimits(redis, keys),
    usageCounters: createUsageCounters(redis, keys, { maxRows: 10 }),
    unarchivedJobs: createUnarchivedJobs(redis, keys),
    endpoints: createWebhookEndpoints(redis, keys, { audit: auditBounds }),
    jobIntake: jobQueue,
    jobQueue,
    webhookQueue,
    signals,
  };
  return { stores, keys, queueRedis };
}

const prepareInputsOf = (
  ports: Parameters<typeof createFindStoredInput>[0] &
    Omit<Parameters<typeof createPrepareInputs>[0], 'findStored'>,
) => createPrepareInputs({ ...ports, findStored: createFindStoredInput(ports) });

const usageMetadataKeys = ['customer'];

const usageOf = (
  deps: Omit<Parameters<typeof createUsage>[0], 'unarchived' | 'createName' | 'policy'> & {
    unarchivedJobs: UnarchivedJobs;
  },
) =>
  createUsage({
    ...deps,
    unarchived: deps.unarchivedJobs,
    createName: () => ulid(deps.clock()),
    policy: {
      metadataKeys: usageMetadataKeys,
      ledgerTtlMs: 10 * 86_400_000,
      usageTtlMs: 20 * 86_400_000,
    },
  });

const acceptJobOf = (
  deps: Omit<Parameters<typeof createAcceptJob>[0], 'cancelUnconfirmed' | 'policy'>,
  given: Given,
) =>
  createAcceptJob({
    ...deps,
    cancelUnconfirmed: () => undefined,
    policy: { ...policy, ...given.policy },
  });

async function buildCore(deployment: Deployment, given: Given) {
  let nowMs = createdAt;
  const { stores, keys, queueRedis } = await connectStores(deployment, given);
  const { directory } = deployment;
  const storage = createFilesystemStorage({ directory, signingKey: Buffer.alloc(32, 1) });
  const shared = {
    ...stores,
    storage,
    clock: () => nowMs,
    retentionOf: (_job: ImageJob) => retention,
    deliveryLogMs,
  };
  const catalogue = given.catalogue ?? builtInCatalogue();
  const noise = { meter: idleMeter, log: silentLog };
  const cancelProviderCalls = createCancelProviderCalls({ ...shared, ...noise });
  const money = budgetsOf({ ...shared, ...noise }, given.rules);
  const updateJob = createUpdateJob({ ...shared, ...noise, ...money, cancelProviderCalls });
  const expireJob = createExpireJob({ ...shared, updateJob });
  const getJob = createGetJob({ ...shared, expireJob });
  const usage = usageOf({ ...shared, ...noise });
  const verbs = { updateJob, change: updateJob, expireJob, getJob, ...money, usage };
  const deps = { ...shared, ...noise, ...verbs, archiveTenant: usage.archiveTenant };
  return {
    ...deps,
    keys,
    queueRedis,
    queueNames: queueNames(deployment.prefix),
    /** Advances the clock of this process. */
    passTime(ms: number) {
      nowMs += ms;
    },
    submitJob: createSubmitJob({
      ...deps,
      acceptJob: acceptJobOf(deps, given),
      guard: createDestinationGuard({ allowPrivate: false, requireHttps: true }),
      catalogue,
      estimate: createEstimate({ catalogue, enhanceModel }),
      presets: createPresets([PresetFile.parse(readBuiltIn('presets.json'))]),
      ids,
      digest: (text) => createHash('sha256').update(text).digest('base64url'),
      keyedDigest: createKeyedDigest(Buffer.alloc(32, 1)),
      prepareInputs: prepareInputsOf({ ...shared, ...inputPorts(deployment, keys, shared.clock) }),
      checkRoom: () => undefined,
      usageRowOf: ({ tenant, keyId }, request) =>
        deps.usageCounters.rowOf(tenant, labelsOf(request, keyId, usageMetadataKeys)),
      policy: { ...policy, ...given.policy },
    }),
    cancelJob: createCancelJob(deps),
    sweep: createSweep(deps),
    reconcile: createReconcile(deps),
  };
}
