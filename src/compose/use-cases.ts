import { hash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { ApiKeyRecord } from '../domain/api-key.ts';
import type { ImageJob } from '../domain/image-job.ts';
import { retentionFor } from '../domain/retention.ts';
import { longestPendingMs } from '../domain/webhook-delivery.ts';
import { digestHex, keyIdOf, sameDigest } from '../lib/crypto/api-key-text.ts';
import { createSealedSecrets } from '../lib/crypto/encrypted-secrets.ts';
import { createSealedDigest } from '../lib/crypto/keyed-digest.ts';
import { createWebhookSecret, parseWebhookSecret, webhookSecretOf } from '../lib/crypto/webhook-secret.ts';
import { ids } from '../lib/ids.ts';
import { createPlaces } from '../lib/semaphore.ts';
import { idle, sleep } from '../lib/sleep.ts';
import { probeStore } from '../outbound/records/probe-store.ts';
import { createAuthenticate } from '../usecases/access/authenticate.ts';
import { createCallProvider } from '../usecases/generation/call-provider.ts';
import { createStoreAhead } from '../usecases/generation/early-upload.ts';
import { createExpandPrompt } from '../usecases/generation/expand-prompt.ts';
import { createSettleAnswer } from '../usecases/generation/finalize-response.ts';
import { createMakePicture } from '../usecases/generation/generate-image.ts';
import { createHandInAnswers } from '../usecases/generation/recover-spooled-responses.ts';
import { createGenerateImage } from '../usecases/generation/run-job.ts';
import { createKeepAnswer } from '../usecases/generation/spool-response.ts';
import { createStorePicture } from '../usecases/generation/upload-image.ts';
import { createCancelImage } from '../usecases/jobs/cancel-job.ts';
import { createAbandonCalls } from '../usecases/jobs/cancel-provider-calls.ts';
import { createAbandonSubmission } from '../usecases/jobs/cancel-unconfirmed-job.ts';
import { createEraseImage } from '../usecases/jobs/erase-job.ts';
import { createExpireImage } from '../usecases/jobs/expire-job.ts';
import { createGetImage } from '../usecases/jobs/get-job.ts';
import { createListImages } from '../usecases/jobs/list-jobs.ts';
import { createPresentImage, type PresentImage } from '../usecases/jobs/present-job.ts';
import { createReadContent } from '../usecases/jobs/read-image.ts';
import { createRetryImage } from '../usecases/jobs/retry-job.ts';
import { createWatchImage } from '../usecases/jobs/stream-job-events.ts';
import { createSubmitImage } from '../usecases/jobs/submit-job.ts';
import { createChangeImage } from '../usecases/jobs/update-job.ts';
import { createCheckReadiness } from '../usecases/maintenance/check-readiness.ts';
import { createReconcile } from '../usecases/maintenance/reconcile.ts';
import { createSweep } from '../usecases/maintenance/sweep.ts';
import { createAttemptDelivery } from '../usecases/webhooks/attempt-delivery.ts';
import { createEmptyMailbox } from '../usecases/webhooks/deliver-pending.ts';
import { createAnnounceEvent } from '../usecases/webhooks/dispatch-event.ts';
import { createFindReceiver } from '../usecases/webhooks/find-destination.ts';
import { createManageEndpoints } from '../usecases/webhooks/manage-endpoints.ts';
import { createReadDeliveries } from '../usecases/webhooks/read-deliveries.ts';
import { createRedeliver } from '../usecases/webhooks/redeliver.ts';
import { createTestEndpoint } from '../usecases/webhooks/test-endpoint.ts';
import type { Adapters } from './adapters.ts';
import type { Surroundings } from './local.ts';

/** Webhook attempts to one receiver at the same time. */
const attemptsAtOnce = 8;
/**
 * Pictures held at the same time in one process, of those that are decoded as they arrive and again of those that are
 * read from the spool; bounds memory however many jobs run.
 */
const picturesInMemory = 4;

/** The verbs of the service, bound to their surroundings. */
export function composeUseCases(
  config: Config,
  around: Surroundings,
  adapters: Adapters,
  options: { log: Logger; isDraining: () => boolean; publicUrlFor: (job: ImageJob) => string },
) {
  const { records, storage, clock, catalogue, imageQueue, signals, metrics } = adapters;
  const { log } = options;
  const random = Math.random;
  const retentionOf = (job: ImageJob) =>
    retentionFor(job, { mediaSeconds: config.MEDIA_TTL_S, recordSeconds: config.RECORD_TTL_S });
  const meter = metrics;

  // Only workers make calls, and only they need the provider's key.
  const provider = config.roles.has('worker') ? adapters.provider : undefined;
  const abandonCalls = createAbandonCalls({ provider, imageQueue, log });
  const change = createChangeImage({ ...adapters, abandonCalls, meter, log });
  const expireImage = createExpireImage({ change, imageQueue, clock, retentionOf });
  const getImage = createGetImage({ records, signals, expireImage, clock });
  const presentImage = createPresentImage({
    storage,
    imageQueue,
    catalogue,
    clock,
    enhanceModel: config.ENHANCE_MODEL,
  });
  const submitImage = createSubmitImage({
    ...adapters,
    getImage,
    abandon: createAbandonSubmission({ ...options, change, imageQueue, sleep: idle, clock, retentionOf }),
    ids,
    digest: (text) => hash('sha256', text, 'base64url'),
    sealedDigest: createSealedDigest(around.secretsKey),
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
  const storePicture = createStorePicture({ storage, sleep, random, meter, log });
  const settleAnswer = createSettleAnswer({
    ...adapters,
    storePicture,
    change,
    inMemory: createPlaces(picturesInMemory),
    log,
    retentionOf,
  });
  const storeAhead = createStoreAhead({ ...adapters, storePicture }, picturesInMemory);
  const keepAnswer = createKeepAnswer({ ...adapters, storeAhead });
  const callProvider = createCallProvider({ ...adapters, keepAnswer, random, meter, log });
  const makePicture = createMakePicture({
    ...adapters,
    callProvider,
    settleAnswer,
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
  const deps = { ...adapters, change, abandonCalls, expireImage, getImage, retentionOf, meter, log };

  return {
    ...composeWebhooks(config, around, adapters, { ...options, presentImage }),
    authenticate: createAuthenticate({
      apiKeys: adapters.apiKeys,
      signals,
      bootstrapKeys: bootstrapKeys(config, around),
      digest: digestHex,
      sameDigest,
      keyIdOf,
      clock,
    }),
    submitImage,
    getImage,
    presentImage,
    listImages: createListImages({ records, getImage, catalogue }),
    watchImage: createWatchImage({ getImage, signals, clock }),
    readContent: createReadContent({ records, storage, clock, linkSeconds: config.LINK_TTL_S }),
    cancelImage: createCancelImage(deps),
    eraseImage: createEraseImage(deps),
    retryImage: createRetryImage({ getImage, submitImage }),
    generateImage: createGenerateImage({ ...deps, expandPrompt, makePicture, sleep }),
    handInAnswers: createHandInAnswers({ ...deps, settleAnswer }),
    reconcile: createReconcile({ ...adapters, log }),
    sweep: createSweep({ ...deps, deliveryLogMs: config.WEBHOOK_LOG_TTL_S * 1000 }),
    checkReadiness: createCheckReadiness({
      probeStore: () => probeStore(adapters.redis, config.REDIS_KEY_PREFIX),
      storage,
      gate: adapters.gate,
      isDraining: options.isDraining,
      clock,
    }),
  };
}
export type UseCases = ReturnType<typeof composeUseCases>;

/** The verbs of webhooks: registering receivers, delivering, and reading the log. */
function composeWebhooks(
  config: Config,
  around: Surroundings,
  adapters: Adapters,
  options: { log: Logger; publicUrlFor: (job: ImageJob) => string; presentImage: PresentImage },
) {
  const policy = {
    schedule: config.WEBHOOK_SCHEDULE_S,
    disableAfterMs: config.WEBHOOK_DISABLE_AFTER_S * 1000,
    atOnce: attemptsAtOnce,
    // Half of them: the others always have places, and one alone in a deployment has enough.
    placesOfOneTenant: Math.ceil(config.WEBHOOK_CONCURRENCY / 2),
  };
  const logMs = config.WEBHOOK_LOG_TTL_S * 1000;
  const sealed = createSealedSecrets(around.secretsKey);
  const secretOf = (tenant: string) => config.WEBHOOK_SECRET ?? webhookSecretOf(around.secretsKey, tenant);
  const deps = {
    ...adapters,
    ...options,
    ids,
    meter: adapters.metrics,
    // While it is pending a delivery needs its bytes, however long ago the event was.
    keepBodyMs: logMs + longestPendingMs(config.WEBHOOK_SCHEDULE_S),
  };
  const findReceiver = createFindReceiver({
    ...deps,
    secretsOf: (tenant) => [secretOf(tenant)],
    unseal: sealed.unseal,
  });
  const attemptDelivery = createAttemptDelivery(deps);
  return {
    webhookSecretOf: secretOf,
    announceEvent: createAnnounceEvent(deps),
    emptyMailbox: createEmptyMailbox({ ...deps, findReceiver, attemptDelivery, random: Math.random, policy }),
    manageEndpoints: createManageEndpoints({
      ...deps,
      createSecret: createWebhookSecret,
      checkSecret: (secret) => void parseWebhookSecret(secret),
      seal: sealed.seal,
      most: config.MAX_WEBHOOK_ENDPOINTS,
    }),
    testEndpoint: createTestEndpoint({ ...deps, findReceiver, attemptDelivery }),
    readDeliveries: createReadDeliveries(deps),
    redeliver: createRedeliver(deps),
  };
}

/** Keys that come from the configuration instead of the store. */
function bootstrapKeys(config: Config, around: Surroundings): Map<string, ApiKeyRecord> {
  const user = ['images:write', 'images:read', 'webhooks'] as const;
  const named = (config.API_KEYS ?? []).map(({ tenant, key }) => ({ tenant, key, scopes: [...user] }));
  const dev = around.devApiKey ? [{ tenant: 'dev', key: around.devApiKey, scopes: [...user] }] : [];
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
