import type { ImageJob } from '../domain/image-job.ts';
import { longestPendingMs } from '../domain/webhook-delivery.ts';
import { createEncryptedSecrets } from '../lib/crypto/encrypted-secrets.ts';
import { createWebhookSecret, webhookSecretFault, webhookSecretOf } from '../lib/crypto/webhook-secret.ts';
import { ids } from '../lib/ids.ts';
import type { Jobs } from '../usecases/jobs/index.ts';
import { createAttemptDelivery } from '../usecases/webhooks/attempt-delivery.ts';
import { createDeliverPending } from '../usecases/webhooks/deliver-pending.ts';
import { createDispatchEvent } from '../usecases/webhooks/dispatch-event.ts';
import { createFindDestination } from '../usecases/webhooks/find-destination.ts';
import { createManageEndpoints } from '../usecases/webhooks/manage-endpoints.ts';
import { createReadDeliveries } from '../usecases/webhooks/read-deliveries.ts';
import { createRedeliver } from '../usecases/webhooks/redeliver.ts';
import { createTestEndpoint } from '../usecases/webhooks/test-endpoint.ts';
import type { Adapters } from './adapters.ts';
import { clock } from './clock.ts';
import type { Root } from './root.ts';

/** Webhook attempts to one destination at the same time. */
const maxConcurrentAttempts = 8;

interface Options {
  readonly jobs: Jobs;
  readonly publicUrlFor: (job: ImageJob) => string;
}

/** Builds the verbs of webhooks. */
export function composeWebhooks({ config, environment, log }: Root, adapters: Adapters, options: Options) {
  const { guard, sender, metrics: meter } = adapters;
  const { jobs: records, events, deliveries, deliveryQueues, endpoints } = adapters.records;
  const { webhooks: webhookQueue } = adapters.queues;
  const encrypted = createEncryptedSecrets(environment.secretsKey);
  const secretOf = (tenant: string) =>
    config.WEBHOOK_SECRET ?? webhookSecretOf(environment.secretsKey, tenant);
  // A pending delivery needs its bytes, however old the event is.
  const keepBodyMs = config.WEBHOOK_LOG_TTL_S * 1000 + longestPendingMs(config.WEBHOOK_SCHEDULE_S);
  const findDestination = createFindDestination({
    endpoints,
    secretsOf: (tenant) => [secretOf(tenant)],
    unseal: encrypted.unseal,
    clock,
    log,
  });
  const attemptDelivery = createAttemptDelivery({ sender, clock, meter, log });
  return {
    webhookSecretOf: secretOf,
    dispatchEvent: createDispatchEvent({
      records,
      events,
      endpoints,
      webhookQueue,
      presentJob: options.jobs.presentJob,
      ids,
      clock,
      log,
      publicUrlFor: options.publicUrlFor,
      keepBodyMs,
    }),
    deliverPending: createDeliverPending({
      deliveries,
      deliveryQueues,
      findDestination,
      attemptDelivery,
      ids,
      clock,
      random: Math.random,
      log,
      policy: {
        schedule: config.WEBHOOK_SCHEDULE_S,
        disableAfterMs: config.WEBHOOK_DISABLE_AFTER_S * 1000,
        maxConcurrent: maxConcurrentAttempts,
        // One tenant gets half of the slots, which is enough for it alone and leaves slots for the others.
        slotsPerTenant: Math.ceil(config.WEBHOOK_CONCURRENCY / 2),
      },
    }),
    manageEndpoints: createManageEndpoints({
      endpoints,
      deliveryQueues,
      webhookQueue,
      guard,
      ids,
      clock,
      log,
      createSecret: createWebhookSecret,
      secretFault: webhookSecretFault,
      seal: encrypted.seal,
      max: config.MAX_WEBHOOK_ENDPOINTS,
    }),
    testEndpoint: createTestEndpoint({
      endpoints,
      deliveries,
      findDestination,
      attemptDelivery,
      ids,
      clock,
      keepBodyMs,
    }),
    readDeliveries: createReadDeliveries({ deliveries, deliveryQueues }),
    redeliver: createRedeliver({
      deliveries,
      events,
      endpoints,
      deliveryQueues,
      webhookQueue,
      clock,
      log,
    }),
  };
}
