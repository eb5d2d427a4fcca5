import type { ImageJob } from '../domain/image-job.ts';
import { createEncryptedSecrets } from '../lib/crypto/encrypted-secrets.ts';
import { createKeyedDigest } from '../lib/crypto/keyed-digest.ts';
import { createWebhookSecret, webhookSecretFault, webhookSecretOf } from '../lib/crypto/webhook-secret.ts';
import { ids } from '../lib/ids.ts';
import type { Jobs } from '../usecases/jobs/index.ts';
import { createWebhooks } from '../usecases/webhooks/index.ts';
import type { Adapters } from './adapters.ts';
import { clock } from './clock.ts';
import type { Root } from './root.ts';

/** Maximum number of concurrent webhook attempts to one destination. */
const maxConcurrentAttempts = 8;

interface Options {
  readonly jobs: Jobs;
  readonly publicUrlFor: (job: ImageJob) => string;
}

/** Builds the use cases of webhooks. */
export function composeWebhooks({ config, environment, log }: Root, adapters: Adapters, options: Options) {
  const { records, queues } = adapters;
  const encrypted = createEncryptedSecrets(environment.secretsKey);
  const secretOfTenant = (tenant: string) =>
    config.WEBHOOK_SECRET ?? webhookSecretOf(environment.secretsKey, tenant);
  const webhooks = createWebhooks({
    records: records.jobs,
    events: records.events,
    endpoints: records.endpoints,
    deliveries: records.deliveries,
    deliveryQueues: records.deliveryQueues,
    sendLimits: records.sendLimits,
    webhookQueue: queues.webhooks,
    sender: adapters.sender,
    guard: adapters.guard,
    checkRoom: adapters.memory.checkRoom,
    presentJob: options.jobs.presentJob,
    publicUrlFor: options.publicUrlFor,
    secrets: {
      create: createWebhookSecret,
      faultOf: webhookSecretFault,
      encrypt: encrypted.seal,
      decrypt: encrypted.unseal,
      digest: createKeyedDigest(environment.secretsKey, 'darkroom webhook endpoints v1'),
      ofTenant: secretOfTenant,
    },
    ids,
    clock,
    random: Math.random,
    meter: adapters.metrics,
    log,
    policy: {
      schedule: config.WEBHOOK_SCHEDULE_S,
      disableAfterMs: config.WEBHOOK_DISABLE_AFTER_S * 1000,
      maxConcurrent: maxConcurrentAttempts,
      slots: config.WEBHOOK_CONCURRENCY,
      requestsPerMinute: {
        perHost: config.WEBHOOK_HOST_PER_MINUTE,
        perTenant: config.WEBHOOK_TENANT_PER_MINUTE,
      },
      maxEndpoints: config.MAX_WEBHOOK_ENDPOINTS,
      logMs: config.WEBHOOK_LOG_TTL_S * 1000,
    },
  });
  return { webhookSecretOf: secretOfTenant, ...webhooks };
}
