import { hash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { ApiKeyRecord } from '../domain/api-key.ts';
import type { ImageJob } from '../domain/image-job.ts';
import { retentionFor } from '../domain/retention.ts';
import { longestPendingMs } from '../domain/webhook-delivery.ts';
import { digestHex, keyIdOf, sameDigest } from '../lib/crypto/api-key-text.ts';
import { createEncryptedSecrets } from '../lib/crypto/encrypted-secrets.ts';
import { createKeyedDigest } from '../lib/crypto/keyed-digest.ts';
import { createWebhookSecret, webhookSecretFault, webhookSecretOf } from '../lib/crypto/webhook-secret.ts';
import { ids } from '../lib/ids.ts';
import { createSemaphore } from '../lib/semaphore.ts';
import { idle, sleep } from '../lib/sleep.ts';
import { probeStore } from '../outbound/records/probe-store.ts';
import { createAuthenticate } from '../usecases/access/authenticate.ts';
import { createCallProvider } from '../usecases/generation/call-provider.ts';
import { createEarlyUpload } from '../usecases/generation/early-upload.ts';
import { createExpandPrompt } from '../usecases/generation/expand-prompt.ts';
import { createFinalizeResponse } from '../usecases/generation/finalize-response.ts';
import { createGenerateImage } from '../usecases/generation/generate-image.ts';
import { createRecoverSpooledResponses } from '../usecases/generation/recover-spooled-responses.ts';
import { createRunJob } from '../usecases/generation/run-job.ts';
import { createSpoolResponse } from '../usecases/generation/spool-response.ts';
import { createUploadImage } from '../usecases/generation/upload-image.ts';
import { createCancelJob } from '../usecases/jobs/cancel-job.ts';
import { createCancelProviderCalls } from '../usecases/jobs/cancel-provider-calls.ts';
import { createCancelUnconfirmedJob } from '../usecases/jobs/cancel-unconfirmed-job.ts';
import { createEraseJob } from '../usecases/jobs/erase-job.ts';
import { createExpireJob } from '../usecases/jobs/expire-job.ts';
import { createGetJob } from '../usecases/jobs/get-job.ts';
import { createListJobs } from '../usecases/jobs/list-jobs.ts';
import { createPresentJob, type PresentJob } from '../usecases/jobs/present-job.ts';
import { createReadContent } from '../usecases/jobs/read-image.ts';
import { createRetryJob } from '../usecases/jobs/retry-job.ts';
import { createStreamJobEvents } from '../usecases/jobs/stream-job-events.ts';
import { createSubmitJob } from '../usecases/jobs/submit-job.ts';
import { createUpdateJob } from '../usecases/jobs/update-job.ts';
import { createCheckReadiness } from '../usecases/maintenance/check-readiness.ts';
import { createReconcile } from '../usecases/maintenance/reconcile.ts';
import { createSweep } from '../usecases/maintenance/sweep.ts';
import { createAttemptDelivery } from '../usecases/webhooks/attempt-delivery.ts';
import { createDeliverPending } from '../usecases/webhooks/deliver-pending.ts';
import { createDispatchEvent } from '../usecases/webhooks/dispatch-event.ts';
import { createFindDestination } from '../usecases/webhooks/find-destination.ts';
import { createManageEndpoints } from '../usecases/webhooks/manage-endpoints.ts';
import { createReadDeliveries } from '../usecases/webhooks/read-deliveries.ts';
import { createRedeliver } from '../usecases/webhooks/redeliver.ts';
import { createTestEndpoint } from '../usecases/webhooks/test-endpoint.ts';
import type { Adapters } from './adapters.ts';
import type { Environment } from './local.ts';

/** Webhook attempts to one receiver at the same time. */
const maxConcurrentAttempts = 8;
/**
 * Images held at the same time in one process, of those that are decoded as they arrive and again of those that are
 * read from the spool; bounds memory however many jobs run.
 */
const maxImagesInMemory = 4;

/** The verbs of the service, bound to their surroundings. */
export function composeUseCases(
  config: Config,
  environment: Environment,
  adapters: Adapters,
  options: { log: Logger; isDraining: () => boolean; publicUrlFor: (job: ImageJob) => string },
) {
  const { records, storage, clock, catalogue, jobQueue, signals, metrics } = adapters;
  const { log } = options;
  const random = Math.random;
  const retentionOf = (job: ImageJob) =>
    retentionFor(job, { mediaSeconds: config.MEDIA_TTL_S, recordSeconds: config.RECORD_TTL_S });
  const meter = metrics;

  // Only workers make calls, and only they need the provider's key.
  const provider = config.roles.has('worker') ? adapters.provider : undefined;
  const cancelProviderCalls = createCancelProviderCalls({ provider, jobQueue, log });
  const change = createUpdateJob({ ...adapters, cancelProviderCalls, meter, log });
  const expireJob = createExpireJob({ change, jobQueue, clock, retentionOf });
  const getJob = createGetJob({ records, signals, expireJob, clock });
  const presentJob = createPresentJob({
    storage,
    jobQueue,
    catalogue,
    clock,
    enhanceModel: config.ENHANCE_MODEL,
  });
  const submitJob = createSubmitJob({
    ...adapters,
    getJob,
    cancelUnconfirmed: createCancelUnconfirmedJob({
      ...options,
      change,
      jobQueue,
      sleep: idle,
      clock,
      retentionOf,
    }),
    ids,
    digest: (text) => hash('sha256', text, 'base64url'),
    keyedDigest: createKeyedDigest(environment.secretsKey),
    meter,
    log,
    policy: {
      defaultModel: config.DEFAULT_MODEL,
      allowUnknownModels: config.ALLOW_UNKNOWN_MODELS,
      maxOpenJobsPerTenant: config.MAX_OPEN_JOBS,
      queueTtlSeconds: config.QUEUE_TTL_S,
      runTimeoutSeconds: config.RUN_TIMEOUT_S,
      maxMediaSeconds: config.MEDIA_TTL_S,
      maxRecordSeconds: config.RECORD_TTL_S,
      enhanceModel: config.ENHANCE_MODEL,
    },
  });
  const uploadImage = createUploadImage({ storage, sleep, random, meter, log });
  const finalizeResponse = createFinalizeResponse({
    ...adapters,
    uploadImage,
    change,
    inMemory: createSemaphore(maxImagesInMemory),
    log,
    retentionOf,
  });
  const startEarlyUpload = createEarlyUpload({ ...adapters, uploadImage }, maxImagesInMemory);
  const spoolResponse = createSpoolResponse({ ...adapters, startEarlyUpload });
  const callProvider = createCallProvider({ ...adapters, spoolResponse, random, meter, log });
  const generateImage = createGenerateImage({
    ...adapters,
    callProvider,
    finalizeResponse,
    random,
    policy: {
      onUncertain: config.ON_UNCERTAIN,
      maxPaidAttempts: config.MAX_PAID_ATTEMPTS,
      onQuota: config.ON_QUOTA,
    },
  });
  const expandPrompt = createExpandPrompt({
    ...adapters,
    meter,
    log,
    policy: { onUncertain: config.ON_UNCERTAIN },
  });
  const deps = { ...adapters, change, cancelProviderCalls, expireJob, getJob, retentionOf, meter, log };

  return {
    ...composeWebhooks(config, environment, adapters, { ...options, presentJob }),
    authenticate: createAuthenticate({
      apiKeys: adapters.apiKeys,
      signals,
      bootstrapKeys: bootstrapKeys(config, environment),
      digest: digestHex,
      sameDigest,
      keyIdOf,
      clock,
    }),
    submitJob,
    getJob,
    presentJob,
    listJobs: createListJobs({ records, getJob, catalogue }),
    streamJobEvents: createStreamJobEvents({ getJob, signals, clock }),
    readContent: createReadContent({ records, storage, clock, linkSeconds: config.LINK_TTL_S }),
    cancelJob: createCancelJob(deps),
    eraseJob: createEraseJob(deps),
    retryJob: createRetryJob({ getJob, submitJob }),
    runJob: createRunJob({ ...deps, expandPrompt, generateImage, sleep }),
    recoverSpooledResponses: createRecoverSpooledResponses({ ...deps, finalizeResponse }),
    reconcile: createReconcile({ ...adapters, log }),
    sweep: createSweep({ ...deps, deliveryLogMs: config.WEBHOOK_LOG_TTL_S * 1000 }),
    checkReadiness: createCheckReadiness({
      probeStore: () => probeStore(adapters.redis, config.REDIS_KEY_PREFIX),
      storage,
      breaker: adapters.breaker,
      isDraining: options.isDraining,
      clock,
    }),
  };
}
export type UseCases = ReturnType<typeof composeUseCases>;

/** The verbs of webhooks: registering receivers, delivering, and reading the log. */
function composeWebhooks(
  config: Config,
  environment: Environment,
  adapters: Adapters,
  options: { log: Logger; publicUrlFor: (job: ImageJob) => string; presentJob: PresentJob },
) {
  const policy = {
    schedule: config.WEBHOOK_SCHEDULE_S,
    disableAfterMs: config.WEBHOOK_DISABLE_AFTER_S * 1000,
    maxConcurrent: maxConcurrentAttempts,
    // Half of them: the others always have places, and one alone in a deployment has enough.
    slotsPerTenant: Math.ceil(config.WEBHOOK_CONCURRENCY / 2),
  };
  const logMs = config.WEBHOOK_LOG_TTL_S * 1000;
  const encrypted = createEncryptedSecrets(environment.secretsKey);
  const secretOf = (tenant: string) =>
    config.WEBHOOK_SECRET ?? webhookSecretOf(environment.secretsKey, tenant);
  const deps = {
    ...adapters,
    ...options,
    ids,
    meter: adapters.metrics,
    // While it is pending a delivery needs its bytes, however long ago the event was.
    keepBodyMs: logMs + longestPendingMs(config.WEBHOOK_SCHEDULE_S),
  };
  const findDestination = createFindDestination({
    ...deps,
    secretsOf: (tenant) => [secretOf(tenant)],
    unseal: encrypted.unseal,
  });
  const attemptDelivery = createAttemptDelivery(deps);
  return {
    webhookSecretOf: secretOf,
    dispatchEvent: createDispatchEvent(deps),
    deliverPending: createDeliverPending({
      ...deps,
      findDestination,
      attemptDelivery,
      random: Math.random,
      policy,
    }),
    manageEndpoints: createManageEndpoints({
      ...deps,
      createSecret: createWebhookSecret,
      secretFault: webhookSecretFault,
      seal: encrypted.seal,
      max: config.MAX_WEBHOOK_ENDPOINTS,
    }),
    testEndpoint: createTestEndpoint({ ...deps, findDestination, attemptDelivery }),
    readDeliveries: createReadDeliveries(deps),
    redeliver: createRedeliver(deps),
  };
}

/** Keys that come from the configuration instead of the store. */
function bootstrapKeys(config: Config, environment: Environment): Map<string, ApiKeyRecord> {
  const user = ['images:write', 'images:read', 'webhooks'] as const;
  const named = (config.API_KEYS ?? []).map(({ tenant, key }) => ({ tenant, key, scopes: [...user] }));
  const dev = environment.devApiKey ? [{ tenant: 'dev', key: environment.devApiKey, scopes: [...user] }] : [];
  const admin = config.ADMIN_KEY
    ? [{ tenant: 'admin', key: config.ADMIN_KEY, scopes: ['admin' as const] }]
    : [];
  return new Map(
    [...named, ...dev, ...admin].map(({ tenant, key, scopes }, i) => {
      const digest = digestHex(key);
      return [
        digest,
        { id: `key_bootstrap_${i + 1}`, tenant, name: 'bootstrap', digest, scopes, createdAt: 0 },
      ];
    }),
  );
}
