import { setMaxListeners } from 'node:events';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { roles } from '../config/variables.ts';
import { createHttpApp } from '../inbound/http/app.ts';
import { listen } from '../inbound/http/listen.ts';
import { createJobWorker } from '../inbound/worker/job-worker.ts';
import { createWebhookWorker } from '../inbound/worker/webhook-worker.ts';
import { type Closers, createClosers } from '../lib/closers.ts';
import { createFileLinks } from '../lib/crypto/file-link.ts';
import { every } from '../lib/every.ts';
import { createOutageLog } from '../lib/outage-log.ts';
import { packageVersion } from '../lib/package-version.ts';
import { createWorkerRedis } from '../lib/redis/redis.ts';
import { createTenantSlots } from '../lib/tenant-slots.ts';
import { createTaskConsumer, type TaskConsumer } from '../outbound/queue/task-consumer.ts';
import { createTaskRelay, type TaskRelay } from '../outbound/queue/task-intake.ts';
import { type Adapters, composeAdapters, describeStorage, openRedis } from './adapters.ts';
import { composeEnvironment, type Environment } from './local.ts';
import { composeUseCases, type UseCases } from './use-cases.ts';

/** A running service. */
export interface Service {
  readonly app: FastifyInstance;
  readonly environment: Environment;
  /** Location of the images, for people. */
  readonly storage: string;
  /**
   * Listens, then takes work.
   *
   * @returns the address, for people.
   * @throws Error where it cannot listen, saying what to do; all is closed then, and no work was taken.
   */
  start(): Promise<string>;
  /**
   * Stops in order: readiness red and no new work, what runs may finish or is handed back, then nothing is listened to
   * any more and everything is closed.
   */
  close(): Promise<void>;
}

export interface ComposeOptions {
  readonly log: Logger;
  /** Hears in single lines what takes time at the start. */
  readonly say?: (line: string) => void;
}

/** A killed worker's job is taken over after at most one and a half of these. */
const lockDurationMs = 10_000;
const reconcilePauseMs = 5_000;
/** How long listening waits for Redis; without it we listen all the same and answer 503. */
const redisTimeoutMs = 2_000;
const sweepPauseMs = 10_000;
const spoolRecoveryIntervalMs = 15_000;

/**
 * The composition root: builds everything for a configuration, in order. May be called several times in one process;
 * nothing is shared between the results.
 */
export async function compose(config: Config, options: ComposeOptions): Promise<Service> {
  const { log } = options;
  const closers = createClosers((error) => log.warn({ err: error }, 'not closed cleanly'));
  const draining = new AbortController();
  // Every waiting request listens to it.
  setMaxListeners(0, draining.signal);
  try {
    const environment = await composeEnvironment(config, closers, {
      say: options.say ?? ((line) => log.info(line)),
    });
    const adapters = composeAdapters(config, environment, closers, log);
    let address = `http://localhost:${config.PORT}`;
    const useCases = composeUseCases(config, environment, adapters, {
      log,
      isDraining: () => draining.signal.aborted,
      publicUrlFor: (job) => config.PUBLIC_URL ?? job.origin ?? address,
    });
    const app = await composeHttp(config, environment, adapters, useCases, {
      log,
      draining: draining.signal,
    });
    const consumers = composeConsumers(config, environment, adapters, useCases, { closers, log });
    const relay = config.roles.has('worker')
      ? composeRelay(config, environment, adapters, { closers, log })
      : undefined;

    const close = async () => {
      draining.abort();
      // Listening goes on meanwhile: load balancers see that readiness is red, and callers how their jobs end.
      await Promise.all(consumers.map((consumer) => consumer.drain(config.SHUTDOWN_GRACE_S * 1000)));
      await app.close();
      await closers.close();
    };

    return {
      app,
      environment,
      storage: describeStorage(config),
      async start() {
        if (adapters.storage.isServedHere && config.roles.size < roles.length) {
          log.warn(
            { storage: describeStorage(config) },
            'images are files: every process of this deployment must share this folder',
          );
        }
        if (hasWeakKey(config)) {
          log.warn('API_KEYS or ADMIN_KEY holds a key of fewer than 16 characters, which can be guessed');
        }
        // Not fatal: the storage may still be starting, and paid images wait in the spool.
        adapters.storage.check().catch((error) => log.error({ err: error }, 'the storage is not usable'));
        // Whoever calls as soon as we listen should not meet a connection that is still being made.
        await adapters.whenConnected(redisTimeoutMs);
        try {
          address = await listen(app, config.HOST, config.PORT);
        } catch (error) {
          await close();
          throw error;
        }
        // After that, so that a process that cannot be reached takes no work.
        for (const consumer of consumers) consumer.start();
        relay?.start();
        if (consumers.length > 0) startMaintenance(useCases, closers, log);
        if (config.roles.has('worker')) startSpoolRecovery(useCases, closers, draining.signal, log);
        return address;
      },
      close,
    };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** Long polls and event streams that one process holds, at some 20 KiB each. */
const longPollLimits = { max: 20_000, maxPerTenant: 10_000 };

/** Good enough for a test, and for nothing that can be reached from outside. */
function hasWeakKey({ API_KEYS, ADMIN_KEY }: Config): boolean {
  return [...(API_KEYS ?? []).map(({ key }) => key), ADMIN_KEY].some((key) => key && key.length < 16);
}

function composeHttp(
  config: Config,
  environment: Environment,
  adapters: Adapters,
  useCases: UseCases,
  options: { log: Logger; draining: AbortSignal },
): Promise<FastifyInstance> {
  const { clock, catalogue, presets, metrics } = adapters;
  return createHttpApp(
    {
      ...useCases,
      catalogue,
      presets,
      clock,
      renderMetrics: metrics.render,
      observeRequest: metrics.observeRequest,
      fileLinks: createFileLinks(environment.secretsKey),
      longPollSlots: createTenantSlots(longPollLimits),
      publicUrl: config.PUBLIC_URL,
      sharesWebhookSecret: config.WEBHOOK_SECRET !== undefined,
      linkSeconds: config.LINK_TTL_S,
      draining: options.draining,
      publicApi: config.roles.has('api'),
    },
    {
      logger: options.log,
      version: packageVersion(),
      trustProxy: config.TRUST_PROXY,
      corsOrigins: config.CORS_ORIGINS,
    },
  );
}

/** The queue consumers of this process's roles, each with a blocking connection of its own. */
function composeConsumers(
  config: Config,
  environment: Environment,
  adapters: Adapters,
  useCases: UseCases,
  options: { closers: Closers; log: Logger },
): TaskConsumer[] {
  const { closers, log } = options;
  const connect = (name: string) =>
    closers.add(openRedis(createWorkerRedis, config, environment, log, name), (client) =>
      client.disconnect(),
    );
  const consumers: TaskConsumer[] = [];
  if (config.roles.has('worker')) {
    const images = createTaskConsumer(
      { queue: adapters.queues.images, concurrency: config.WORKER_CONCURRENCY, lockDurationMs },
      { redis: connect('worker'), log },
      createJobWorker({ runJob: useCases.runJob, log }),
    );
    closers.add(
      adapters.signals.onCancel((id) => images.cancel(id)),
      (stop) => stop(),
    );
    consumers.push(images);
  }
  if (config.roles.has('webhooks')) {
    consumers.push(
      createTaskConsumer(
        {
          queue: adapters.queues.webhooks,
          concurrency: config.WEBHOOK_CONCURRENCY,
          lockDurationMs,
        },
        { redis: connect('webhooks'), log },
        createWebhookWorker({ ...useCases, log }),
      ),
    );
  }
  return consumers;
}

/** Takes accepted jobs over into the queue. */
function composeRelay(
  config: Config,
  environment: Environment,
  { queues, jobQueue }: Adapters,
  { closers, log }: { closers: Closers; log: Logger },
): TaskRelay {
  const redis = closers.add(openRedis(createWorkerRedis, config, environment, log, 'intake'), (client) =>
    client.disconnect(),
  );
  return closers.add(createTaskRelay(queues.images, { redis, queue: jobQueue, log }), (relay) =>
    relay.stop(),
  );
}

/** Hands in what lies on this worker's disk, now and from time to time. */
function startSpoolRecovery(useCases: UseCases, closers: Closers, signal: AbortSignal, log: Logger): void {
  const recoverSpooled = () => useCases.recoverSpooledResponses(signal);
  const onError = (error: unknown) => log.warn({ err: error }, 'the spool cannot be read, trying again');
  closers.add(every(spoolRecoveryIntervalMs, recoverSpooled, onError, { firstAfterMs: 0 }), (stop) => stop());
}

/** Puts lost tasks back and does what is due. Every process with a worker does it; doing it twice does no harm. */
function startMaintenance(useCases: UseCases, closers: Closers, log: Logger): void {
  const repeat = (maintenance: 'reconcile' | 'sweep', pauseMs: number, firstAfterMs: number) => {
    const outage = createOutageLog(log, {
      fields: { maintenance },
      outage: 'upkeep failed, trying again',
      over: 'upkeep works again',
    });
    const work = async () => {
      await useCases[maintenance]();
      outage.worked();
    };
    closers.add(every(pauseMs, work, outage.failed, { firstAfterMs }), (stop) => stop());
  };
  repeat('reconcile', reconcilePauseMs, 0);
  // Not at once: what lies on the disk of a worker that comes back is handed in before its jobs are ended.
  repeat('sweep', sweepPauseMs, sweepPauseMs);
}
