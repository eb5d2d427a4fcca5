import { hash } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { ImageJob } from '../domain/image-job.ts';
import type { UsageCounters } from '../domain/ports.ts';
import { labelsOf } from '../domain/usage.ts';
import { createKeyText, digestHex, keyIdOf, sameDigest } from '../lib/crypto/api-key-text.ts';
import { createKeyedDigest } from '../lib/crypto/keyed-digest.ts';
import { ids, ulid } from '../lib/ids.ts';
import { idle } from '../lib/sleep.ts';
import { providerNames, selectedProvider } from '../outbound/providers/registry.ts';
import { type Access, createAccess } from '../usecases/access/index.ts';
import { isKnownScope } from '../usecases/generation/breaker-scopes.ts';
import { createInputs, type Inputs } from '../usecases/inputs/index.ts';
import { createJobs, type Jobs } from '../usecases/jobs/index.ts';
import type { SubmitPolicy, UsageRowOf } from '../usecases/jobs/submit-job.ts';
import { createMaintenance } from '../usecases/maintenance/index.ts';
import { createThumbnails } from '../usecases/thumbnails/index.ts';
import { createUsage, type Usage } from '../usecases/usage/index.ts';
import type { Adapters } from './adapters.ts';
import { bootstrapKeysOf } from './bootstrap-keys.ts';
import { clock } from './clock.ts';
import { composeGeneration } from './generation.ts';
import { retentionOf } from './retention.ts';
import type { Root } from './root.ts';
import { composeStatus } from './status.ts';
import { composeWebhooks } from './webhooks.ts';

/** Builds the use cases of the service, group by group. Later groups use earlier groups. */
export function composeUseCases(
  root: Root,
  adapters: Adapters,
  options: { readonly publicUrlFor: (job: ImageJob) => string },
) {
  const access = composeAccess(root, adapters);
  const inputs = composeInputs(root, adapters);
  const jobs = composeJobs(root, adapters, { inputs, access });
  const generation = composeGeneration(root, adapters, { jobs, inputs });
  const webhooks = composeWebhooks(root, adapters, { jobs, publicUrlFor: options.publicUrlFor });
  const usage = composeUsage(root, adapters);
  const maintenance = composeMaintenance(root, adapters, { jobs, usage });
  const thumbnails = composeThumbnails(root, adapters, jobs);
  return { access, inputs, jobs, generation, webhooks, usage, maintenance, thumbnails };
}
export type UseCases = ReturnType<typeof composeUseCases>;

function composeAccess({ config, environment, log }: Root, { records, catalogue }: Adapters) {
  return createAccess({
    apiKeys: records.apiKeys,
    keyUse: records.keyUse,
    audit: records.audit,
    tenants: records.tenants,
    spending: records.spending,
    policyChanges: records.policyChanges,
    requestLimits: records.requestLimits,
    signals: records.signals,
    bootstrapKeys: bootstrapKeysOf(config, environment),
    catalogue,
    allowUnknownModels: config.ALLOW_UNKNOWN_MODELS,
    createKeyText,
    digest: digestHex,
    sameDigest,
    keyIdOf,
    clock,
    sleep: idle,
    log,
  });
}

function composeInputs({ config, log }: Root, adapters: Adapters) {
  const { records, storage, staging, inspector, inputFetcher, inputGuard } = adapters;
  return createInputs({
    records: records.jobs,
    uploads: records.uploads,
    audit: records.audit,
    drafts: records.inputDrafts,
    storage,
    staging,
    inspector,
    checkRoom: adapters.memory.checkRoom,
    fetcher: inputFetcher,
    guard: inputGuard,
    ids,
    clock,
    linkSeconds: config.LINK_TTL_S,
    policy: {
      ttlMs: config.UPLOAD_TTL_S * 1000,
      perTenant: { maxBytes: config.MAX_UPLOAD_BYTES, maxCount: config.MAX_UPLOADS },
    },
    log,
  });
}

function composeJobs(
  { config, environment, draining, process, log }: Root,
  adapters: Adapters,
  { inputs, access }: { readonly inputs: Inputs; readonly access: Access },
): Jobs {
  const { records, queues } = adapters;
  return createJobs({
    records: records.jobs,
    ...{ changes: records.changes, audit: records.audit },
    events: records.events,
    deliveries: records.deliveries,
    storage: adapters.storage,
    jobQueue: queues.jobs,
    jobIntake: queues.jobIntake,
    webhookQueue: queues.webhooks,
    signals: records.signals,
    guard: adapters.guard,
    catalogue: adapters.catalogue,
    estimate: adapters.estimate,
    presets: adapters.presets,
    enhanceModel: config.ENHANCE_MODEL,
    // Other roles get no provider, because they have no key for it.
    provider: config.roles.has('worker') ? adapters.provider.images : undefined,
    ids,
    digest: (text) => hash('sha256', text, 'base64url'),
    keyedDigest: createKeyedDigest(environment.secretsKey),
    clock,
    sleep: idle,
    isDraining: () => draining.aborted,
    retentionOf: retentionOf(config),
    linkSeconds: config.LINK_TTL_S,
    callers: records.callers,
    checkRoom: adapters.memory.checkRoom,
    usageRowOf: composeUsageRow(config, records.usageCounters),
    ...{ prepareInputs: inputs.prepareInputs, uploads: inputs.uploads },
    ...{ thresholds: records.thresholds, spending: records.spending, policyOf: access.policyOf },
    process,
    policy: submitPolicyOf(config),
    meter: adapters.metrics,
    log,
  });
}

function submitPolicyOf(config: Config): SubmitPolicy {
  return {
    defaultModel: config.DEFAULT_MODEL,
    allowUnknownModels: config.ALLOW_UNKNOWN_MODELS,
    allowUnknownCost: config.UNKNOWN_COST === 'allow',
    maxOpenJobsPerTenant: config.MAX_OPEN_JOBS,
    queueTtlSeconds: config.QUEUE_TTL_S,
    runTimeoutSeconds: config.RUN_TIMEOUT_S,
    maxMediaSeconds: config.MEDIA_TTL_S,
    maxRecordSeconds: config.RECORD_TTL_S,
    defaultQuality: config.DEFAULT_QUALITY,
    refusedInputs: selectedProvider(config).refusedInputs(config),
    storage: { maxRecords: config.MAX_STORED_JOBS, maxBytes: config.MAX_STORED_BYTES },
  };
}

function composeUsageRow({ USAGE_METADATA_KEYS: metadataKeys }: Config, counters: UsageCounters): UsageRowOf {
  return ({ tenant, keyId }, request) => counters.rowOf(tenant, labelsOf(request, keyId, metadataKeys));
}

function composeUsage({ config, log }: Root, { records, storage, metrics }: Adapters): Usage {
  return createUsage({
    records: records.jobs,
    usageCounters: records.usageCounters,
    unarchived: records.unarchivedJobs,
    storage,
    createName: () => ulid(clock()),
    policy: {
      metadataKeys: config.USAGE_METADATA_KEYS,
      ledgerTtlMs: config.LEDGER_TTL_S * 1000,
      usageTtlMs: config.USAGE_TTL_S * 1000,
    },
    clock,
    meter: metrics,
    log,
  });
}

function composeThumbnails({ draining, log }: Root, adapters: Adapters, { updateJob }: Jobs) {
  return createThumbnails({
    records: adapters.records.jobs,
    storage: adapters.storage,
    maker: adapters.thumbnailMaker,
    updateJob,
    isDraining: () => draining.aborted,
    clock,
    log,
  });
}

function composeMaintenance(
  { config, draining, log }: Root,
  adapters: Adapters,
  { jobs, usage }: { readonly jobs: Jobs; readonly usage: Usage },
) {
  const { records, queues, storage, durability } = adapters;
  return createMaintenance({
    records: records.jobs,
    events: records.events,
    deliveries: records.deliveries,
    deliveryQueues: records.deliveryQueues,
    jobQueue: queues.jobs,
    webhookQueue: queues.webhooks,
    storage,
    breaker: records.breaker,
    updateJob: jobs.updateJob,
    expireJob: jobs.expireJob,
    reportThresholds: jobs.reportThresholds,
    heldCounters: records.heldCounters,
    meter: adapters.metrics,
    checkStore: records.check,
    checkDurability: durability.check,
    checkMemory: adapters.memory.check,
    checkSpool: config.roles.has('worker') ? adapters.spool.check : undefined,
    isBreakerScope: (scope) => isKnownScope(scope, providerNames, adapters.catalogue),
    isDraining: () => draining.aborted,
    retentionOf: retentionOf(config),
    deliveryLogMs: config.WEBHOOK_LOG_TTL_S * 1000,
    archiveTenant: usage.archiveTenant,
    ...{ status: composeStatus(config, adapters), audit: records.audit },
    clock,
    log,
  });
}
