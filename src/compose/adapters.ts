import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { OnUnreadable } from '../domain/ports.ts';
import { packageVersion } from '../lib/package-version.ts';
import { createSharedBytes } from '../lib/shared-bytes.ts';
import { sleep } from '../lib/sleep.ts';
import { createImageInspector } from '../outbound/media/image-inspector.ts';
import { createInputFetcher } from '../outbound/media/input-fetcher.ts';
import { createStaging } from '../outbound/media/staging.ts';
import { createThumbnailMaker } from '../outbound/media/thumbnail-maker.ts';
import { createJobQueue } from '../outbound/queue/job-queue.ts';
import { queueNames } from '../outbound/queue/queue-names.ts';
import { createTaskIntake } from '../outbound/queue/task-intake.ts';
import { createTaskQueue } from '../outbound/queue/task-queue.ts';
import { createApiKeys } from '../outbound/records/api-keys.ts';
import { createAuditLog } from '../outbound/records/audit-log.ts';
import { createBudgetThresholds } from '../outbound/records/budget-thresholds.ts';
import { checkPermissions } from '../outbound/records/check-permissions.ts';
import { createCircuitBreaker } from '../outbound/records/circuit-breaker.ts';
import { createHeldCounters } from '../outbound/records/held-counters.ts';
import { createJobChanges } from '../outbound/records/job-changes.ts';
import { createJobStore } from '../outbound/records/job-store.ts';
import { createKeyUse } from '../outbound/records/key-use.ts';
import { createKeys } from '../outbound/records/keys.ts';
import { createModerationThrottle } from '../outbound/records/moderation-throttle.ts';
import { createPolicyChanges } from '../outbound/records/policy-changes.ts';
import { checkEviction } from '../outbound/records/probe-store.ts';
import { createProcessStates } from '../outbound/records/process-states.ts';
import { createRequestLimits } from '../outbound/records/request-limits.ts';
import { createSignals } from '../outbound/records/signals.ts';
import { createSpending } from '../outbound/records/spending.ts';
import { createTenants } from '../outbound/records/tenants.ts';
import { createTokenSampleStore } from '../outbound/records/token-samples.ts';
import { createUnarchivedJobs } from '../outbound/records/unarchived-jobs.ts';
import { createInputDrafts, createUploads } from '../outbound/records/uploads.ts';
import { createUsageCounters } from '../outbound/records/usage-rows.ts';
import { createWaitingCallers, startPresence } from '../outbound/records/waiting-callers.ts';
import { createDeliveries } from '../outbound/records/webhooks/deliveries.ts';
import { createDeliveryQueues } from '../outbound/records/webhooks/delivery-queues.ts';
import { createSendLimits } from '../outbound/records/webhooks/send-limits.ts';
import { createWebhookEndpoints } from '../outbound/records/webhooks/webhook-endpoints.ts';
import { createWebhookEvents } from '../outbound/records/webhooks/webhook-events.ts';
import { createWorkerRuns } from '../outbound/records/worker-runs.ts';
import { createSpool } from '../outbound/spool/spool.ts';
import { createMetrics } from '../outbound/telemetry/metrics.ts';
import { createDestinationGuard } from '../outbound/webhooks/destination-guard.ts';
import { createFetchLink } from '../outbound/webhooks/fetch-link.ts';
import { createGuardedAgent } from '../outbound/webhooks/guarded-agent.ts';
import { createPublicResolver, resolveBySystem } from '../outbound/webhooks/resolve-name.ts';
import { createWebhookSender } from '../outbound/webhooks/sender.ts';
import { auditBoundsOf, keyBoundsOf } from './audit-bounds.ts';
import { readCatalogues } from './catalogues.ts';
import { clock } from './clock.ts';
import { composeDurability } from './durability.ts';
import { composeEstimate } from './estimate.ts';
import { composeProvider } from './provider.ts';
import { type Connections, connectRedis } from './redis.ts';
import type { Root } from './root.ts';
import { composeStorage } from './storage.ts';
import { createStoreFigures } from './store-figures.ts';
import { composeStoreMemory } from './store-memory.ts';

/** Maximum number of stored images that workers share with the callers of the same process, in addition to their own. */
const maxSharedImages = 8;

/** Builds the outbound adapters and the metrics of a process. */
export async function composeAdapters(root: Root) {
  const { config, environment, closers, log } = root;
  const connections = connectRedis(root);
  const onUnreadable: OnUnreadable = ({ kind, error, tenant, id }) => {
    metrics.recordUnreadable(kind);
    log.error({ err: error, record_kind: kind, tenant, record_id: id }, 'unreadable record skipped');
  };
  const durability = composeDurability(root, connections);
  const memory = composeStoreMemory(root, connections);
  const records = composeRecords(root, connections, onUnreadable);
  const queues = composeQueues(root, connections);
  const spool = composeSpool(root);
  const storage = closers.add(composeStorage(config, environment.secretsKey), (each) => each.close());
  const { guard, sender } = composeWebhookSender(root);
  const { fetchLink, ...media } = composeMedia(root);
  const catalogues = readCatalogues(config, root.log, clock);
  const openProvider = await composeProvider(config, {
    studioUrl: environment.provider.studioUrl,
    fetchLink,
  });
  const provider = closers.add(openProvider, (each) => each.close());
  const readFigures = createStoreFigures({
    records: records.jobs,
    deliveryQueues: records.deliveryQueues,
    unarchived: records.unarchivedJobs,
    jobQueue: queues.jobs,
    webhookQueue: queues.webhooks,
    breaker: records.breaker,
    isAofOn: durability.isAofOn,
    readMemory: memory.read,
    clock,
  });
  const metrics = createMetrics(readFigures, config.roles.has('worker') ? spool.usage : undefined);
  return {
    ...{ connections, durability, memory },
    records,
    queues,
    storage,
    sharedImages: createSharedBytes(maxSharedImages),
    spool,
    provider,
    guard,
    sender,
    ...media,
    catalogue: catalogues.catalogue,
    estimate: composeEstimate(config, catalogues.catalogue, records.tokenSamples),
    presets: catalogues.presets,
    reloadCatalogues: catalogues.reload,
    ...{ metrics, readFigures },
  };
}
export type Adapters = Awaited<ReturnType<typeof composeAdapters>>;

/** Builds the stores of records in Redis. */
function composeRecords(root: Root, connections: Connections, onUnreadable: OnUnreadable) {
  const { config, closers, log } = root;
  const redis = connections.records;
  const keys = createKeys(config.REDIS_KEY_PREFIX);
  const isConsumer = config.roles.has('worker') || config.roles.has('webhooks');
  const queuePrefix = isConsumer ? queueNames(config.REDIS_KEY_PREFIX).jobs.prefix : undefined;
  return {
    jobs: createJobStore(redis, keys, { writes: connections.direct, onUnreadable }),
    changes: createJobChanges(redis, keys),
    events: createWebhookEvents(redis, keys, { onUnreadable }),
    deliveries: createDeliveries(redis, keys, { onUnreadable }),
    deliveryQueues: createDeliveryQueues(redis, keys, { onUnreadable }),
    sendLimits: createSendLimits(redis, keys),
    requestLimits: createRequestLimits(redis, keys),
    endpoints: createWebhookEndpoints(redis, keys, { audit: auditBoundsOf(config), onUnreadable }),
    apiKeys: createApiKeys(redis, keys, { ...keyBoundsOf(config), onUnreadable }),
    keyUse: createKeyUse(redis, keys),
    tenants: createTenants(redis, keys, { audit: auditBoundsOf(config), onUnreadable }),
    audit: createAuditLog(redis, keys, { audit: auditBoundsOf(config), onUnreadable }),
    policyChanges: createPolicyChanges(redis, keys),
    breaker: createCircuitBreaker(redis, keys, clock),
    throttle: createModerationThrottle(redis, keys, {
      maxBlocks: config.MODERATION_MAX_BLOCKS,
      windowMs: config.MODERATION_WINDOW_S * 1000,
      throttleMs: config.MODERATION_THROTTLE_S * 1000,
    }),
    tokenSamples: closers.add(
      createTokenSampleStore(redis, keys, {
        clock,
        onError: (error) => log.debug({ err: error }, 'tokens of earlier images not read or written'),
      }),
      (each) => each.close(),
    ),
    spending: createSpending(redis, keys),
    heldCounters: createHeldCounters(redis, keys),
    thresholds: createBudgetThresholds(redis, keys),
    uploads: createUploads(redis, keys, { onUnreadable }),
    inputDrafts: createInputDrafts(redis, keys),
    signals: closers.add(createSignals(redis, connections.signals, keys), (each) => each.close()),
    callers: createWaitingCallers(redis, keys),
    workerRuns: createWorkerRuns(redis, keys, root.process),
    processStates: createProcessStates(redis, keys, { clock, onUnreadable }),
    usageCounters: createUsageCounters(redis, keys, { maxRows: config.MAX_USAGE_ROWS }),
    unarchivedJobs: createUnarchivedJobs(redis, keys),
    /** Rejects with the fault if a connection is not usable, its user lacks a permission, or Redis evicts keys. */
    check: async () => {
      await root.connections.check();
      const probe = { key: `${config.REDIS_KEY_PREFIX}:probe`, channel: keys.changed, queuePrefix };
      await Promise.all([
        checkEviction(redis),
        checkPermissions({ redis, subscriber: connections.signals }, probe),
      ]);
    },
    presence: (process: string) => startPresence(redis, keys.presence(process)),
  };
}

/** Builds the task queues and the intake for submissions. */
function composeQueues({ config, closers }: Root, { direct, records }: Connections) {
  const names = queueNames(config.REDIS_KEY_PREFIX);
  return {
    names,
    jobs: closers.add(createJobQueue(direct, names.jobs, records), (queue) => queue.close()),
    webhooks: closers.add(createTaskQueue(direct, names.webhooks, records), (queue) => queue.close()),
    jobIntake: closers.add(createTaskIntake(direct, names.jobs), (intake) => intake.flush()),
  };
}

function composeSpool({ config, log }: Root) {
  const fields = { directory: config.DATA_DIR };
  return createSpool(join(config.DATA_DIR, 'spool'), {
    fullBytes: config.SPOOL_MAX_BYTES,
    onCapacityChange(hasCapacity) {
      if (hasCapacity) log.info(fields, 'spool accepts responses again');
      else log.warn(fields, 'spool is full; provider calls wait until responses are stored');
    },
  });
}

/** Builds what receives, fetches and checks the images of callers, and what fetches images behind links of a provider. */
function composeMedia({ config, closers }: Root) {
  const staging = createStaging(join(config.DATA_DIR, 'incoming'));
  const { INPUT_ALLOW_PRIVATE: allowPrivate } = config;
  const inputGuard = createDestinationGuard({ allowPrivate, requireHttps: !allowPrivate });
  const agent = createGuardedAgent({
    guard: inputGuard,
    resolve: allowPrivate ? resolveBySystem : createPublicResolver(),
  });
  const dispatcher = closers.add(agent, (each) => each.destroy());
  const userAgent = `Darkroom/${packageVersion()}`;
  return {
    staging,
    inspector: createImageInspector(staging, { maxConcurrent: Math.max(2, availableParallelism()) }),
    thumbnailMaker: createThumbnailMaker(),
    inputGuard,
    inputFetcher: createInputFetcher({ staging, guard: inputGuard, dispatcher, userAgent, sleep }),
    fetchLink: createFetchLink({ guard: inputGuard, dispatcher, userAgent }),
  };
}

function composeWebhookSender({ config, closers }: Root) {
  const guard = createDestinationGuard({
    allowPrivate: config.WEBHOOK_ALLOW_PRIVATE,
    requireHttps: !config.WEBHOOK_ALLOW_PRIVATE,
    allowedNetworks: config.WEBHOOK_ALLOWED_NETWORKS,
  });
  // Private hosts need the system resolver, because the public resolver ignores /etc/hosts.
  const reachesPrivate = config.WEBHOOK_ALLOW_PRIVATE || config.WEBHOOK_ALLOWED_NETWORKS !== undefined;
  const sender = createWebhookSender({
    guard,
    clock,
    userAgent: `Darkroom/${packageVersion()}`,
    resolve: reachesPrivate ? resolveBySystem : createPublicResolver(),
  });
  return { guard, sender: closers.add(sender, (each) => each.close()) };
}
