import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { CatalogueFile, createCatalogue } from '../domain/model-catalogue.ts';
import type { OnUnreadable } from '../domain/ports.ts';
import { createPresets, PresetFile } from '../domain/preset.ts';
import type { Closers } from '../lib/closers.ts';
import { readBuiltIn, readOperatorFile } from '../lib/data-files.ts';
import { packageVersion } from '../lib/package-version.ts';
import {
  createDirectRedis,
  createProducerRedis,
  createSubscriberRedis,
  type RedisClient,
  whenRedisReady,
} from '../lib/redis/redis.ts';
import { createOpenAIProvider } from '../outbound/providers/openai/images/openai-provider.ts';
import { createResponsesProvider } from '../outbound/providers/openai/images/responses-provider.ts';
import { createPromptEnhancer } from '../outbound/providers/openai/prompts/prompt-enhancer.ts';
import { createTaskIntake } from '../outbound/queue/task-intake.ts';
import { createTaskQueue, type QueueName, queueNames } from '../outbound/queue/task-queue.ts';
import { createApiKeys } from '../outbound/records/api-keys.ts';
import { createCircuitBreaker } from '../outbound/records/circuit-breaker.ts';
import { createJobStore } from '../outbound/records/job-store.ts';
import { createKeys } from '../outbound/records/keys.ts';
import { createSignals } from '../outbound/records/signals.ts';
import { createDeliveries } from '../outbound/records/webhooks/deliveries.ts';
import { createDeliveryQueues } from '../outbound/records/webhooks/delivery-queues.ts';
import { createWebhookEndpoints } from '../outbound/records/webhooks/webhook-endpoints.ts';
import { createWebhookEvents } from '../outbound/records/webhooks/webhook-events.ts';
import { createSpool } from '../outbound/spool/spool.ts';
import { storageNamed } from '../outbound/storage/registry.ts';
import { createMetrics } from '../outbound/telemetry/metrics.ts';
import { createDestinationGuard } from '../outbound/webhooks/destination-guard.ts';
import { createPublicResolver, resolveBySystem } from '../outbound/webhooks/resolve-name.ts';
import { createWebhookSender } from '../outbound/webhooks/sender.ts';
import type { Environment } from './local.ts';
import { createStoreFigures } from './store-figures.ts';

const clock = () => Date.now();

/** Everything that leads out of the process, built in order; `closers` closes it in reverse. */
export function composeAdapters(config: Config, environment: Environment, closers: Closers, log: Logger) {
  const connect = (open: typeof createProducerRedis, name: string) =>
    closers.add(openRedis(open, config, environment, log, name), (client) => client.disconnect());
  // A process that only makes images has a few commands for each of them, which never wait for one another.
  const isOnlyWorker = [...config.roles].every((role) => role === 'worker');
  const redis = connect(isOnlyWorker ? createDirectRedis : createProducerRedis, 'records');
  const keys = createKeys(config.REDIS_KEY_PREFIX);
  const queues = queueNames(config.REDIS_KEY_PREFIX);
  // For what comes in batches already, which a pipeline would only hold up, and for the queues: BullMQ defines its many scripts
  // on the connection it is given, and every pipeline would copy them.
  const direct = connect(createDirectRedis, 'direct');
  const openQueue = (name: QueueName) =>
    closers.add(createTaskQueue(direct, name, redis), (queue) => queue.close());
  const jobQueue = openQueue(queues.images);
  const webhookQueue = openQueue(queues.webhooks);
  const onUnreadable: OnUnreadable = ({ kind, error, tenant, id }) => {
    metrics.recordUnreadable(kind);
    log.error({ err: error, record_kind: kind, tenant, record_id: id }, 'unreadable record skipped');
  };
  const records = createJobStore(redis, keys, { writes: direct, onUnreadable });
  const deliveryQueues = createDeliveryQueues(redis, keys);
  const guard = createDestinationGuard({
    allowPrivate: config.WEBHOOK_ALLOW_PRIVATE,
    requireHttps: !config.WEBHOOK_ALLOW_PRIVATE,
    allowedNetworks: config.WEBHOOK_ALLOWED_NETWORKS,
  });
  // Names of private networks may be known to this machine alone.
  const reachesPrivate = config.WEBHOOK_ALLOW_PRIVATE || config.WEBHOOK_ALLOWED_NETWORKS !== undefined;
  const sender = createWebhookSender({
    guard,
    clock,
    userAgent: `Darkroom/${packageVersion()}`,
    resolve: reachesPrivate ? resolveBySystem : createPublicResolver(),
  });
  const { apiKey, baseUrl } = environment.provider;
  const spool = createSpool(join(config.DATA_DIR, 'spool'), {
    fullBytes: config.SPOOL_MAX_BYTES,
    onRoom(hasRoom) {
      if (hasRoom) log.info('the spool has room again');
      else
        log.warn(
          { directory: config.DATA_DIR },
          'the spool is full; no call is made until the storage took some of it',
        );
    },
  });
  const metrics = createMetrics(
    createStoreFigures({ records, deliveryQueues, jobQueue, webhookQueue, clock }),
    config.roles.has('worker') ? spool.usage : undefined,
  );

  return {
    clock,
    redis,
    /** Resolves when records and queues can be reached, or after a time; says whether they can. */
    whenConnected: async (limitMs: number) => {
      const ready = await Promise.all([redis, direct].map((client) => whenRedisReady(client, limitMs)));
      return ready.every(Boolean);
    },
    keys,
    queues,
    records,
    events: createWebhookEvents(redis, keys),
    deliveries: createDeliveries(redis, keys),
    deliveryQueues,
    endpoints: createWebhookEndpoints(redis, keys),
    apiKeys: createApiKeys(redis, keys, { onUnreadable }),
    signals: closers.add(createSignals(redis, connect(createSubscriberRedis, 'signals'), keys), (s) =>
      s.close(),
    ),
    breaker: createCircuitBreaker(redis, keys, clock),
    jobQueue,
    jobIntake: closers.add(createTaskIntake(direct, queues.images), (intake) => intake.settle()),
    webhookQueue,
    storage: composeStorage(config, environment, closers),
    spool,
    provider: closers.add(composeProvider(config, environment.provider), (each) => each.close()),
    enhancer: closers.add(
      createPromptEnhancer({ apiKey, baseUrl, model: config.ENHANCE_MODEL, clock }),
      (each) => each.close(),
    ),
    guard,
    sender: closers.add(sender, (each) => each.close()),
    catalogue: createCatalogue(
      config.CATALOGUE_FILE
        ? readOperatorFile(config.CATALOGUE_FILE, CatalogueFile)
        : CatalogueFile.parse(readBuiltIn('catalogue.json')),
    ),
    presets: createPresets([
      PresetFile.parse(readBuiltIn('presets.json')),
      ...(config.PRESETS_FILE ? [readOperatorFile(config.PRESETS_FILE, PresetFile)] : []),
    ]),
    metrics,
  };
}
export type Adapters = ReturnType<typeof composeAdapters>;

/** Opens a connection that reports its outages once, not once per attempt. */
export function openRedis(
  open: typeof createProducerRedis,
  config: Config,
  environment: Pick<Environment, 'redisTarget'>,
  log: Logger,
  name: string,
): RedisClient {
  let down = false;
  const client = open(environment.redisTarget, {
    cluster: config.REDIS_CLUSTER,
    connectionName: `darkroom-${name}`,
    onError: (error) => {
      if (!down) log.warn({ err: error, connection: name }, 'Redis cannot be reached, trying again');
      down = true;
    },
  });
  client.on('ready', () => {
    if (down) log.info({ connection: name }, 'Redis is back');
    down = false;
  });
  return client;
}

/** The provider of images, called in the way that the configuration chooses. */
export function composeProvider(config: Config, provider: Environment['provider']) {
  const common = { ...provider, clock };
  return config.OPENAI_MODE === 'responses'
    ? createResponsesProvider({ ...common, hostModelName: config.RESPONSES_MODEL })
    : createOpenAIProvider(common);
}

/** Opens the storage that the configuration selects. */
export function composeStorage(
  config: Config,
  environment: Pick<Environment, 'secretsKey'>,
  closers: Closers,
) {
  const storage = storageNamed(config.STORAGE).create(config, {
    dataDir: config.DATA_DIR,
    signingKey: environment.secretsKey,
    clock,
  });
  return closers.add(storage, (each) => each.close());
}

/** Returns the location of the images in a few words, without secrets. */
export function describeStorage(config: Config): string {
  return storageNamed(config.STORAGE).describe(config, { dataDir: config.DATA_DIR });
}
