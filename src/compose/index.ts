import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { roles } from '../config/variables.ts';
import { createHttpApp } from '../inbound/http/app.ts';
import { listen } from '../inbound/http/listen.ts';
import { createImageWorker } from '../inbound/worker/job-worker.ts';
import { createWebhookWorker } from '../inbound/worker/webhook-worker.ts';
import { type Closers, createClosers } from '../lib/closers.ts';
import { createFileLinks } from '../lib/crypto/file-link.ts';
import { every } from '../lib/every.ts';
import { createTroubleLog } from '../lib/outage-log.ts';
import { packageVersion } from '../lib/package-version.ts';
import { createWorkerRedis } from '../lib/redis/redis.ts';
import { createTenantPlaces } from '../lib/tenant-slots.ts';
import { createTaskConsumer, type TaskConsumer } from '../outbound/queue/task-consumer.ts';
import { createTaskRelay, type TaskRelay } from '../outbound/queue/task-intake.ts';
import { type Adapters, composeAdapters, openRedis } from './adapters.ts';
import { composeSurroundings, type Surroundings } from './local.ts';
import { composeUseCases, type UseCases } from './use-cases.ts';

/** A running service. */
export interface Service {
  readonly app: FastifyInstance;
  readonly surroundings: Surroundings;
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
const redisPatienceMs = 2_000;
const sweepPauseMs = 10_000;
const handInPauseMs = 15_000;

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
    const around = await composeSurroundings(config, closers, {
      say: options.say ?? ((line) => log.info(line)),
    });
    const adapters = composeAdapters(config, around, closers, log);
    let address = `http://localhost:${config.PORT}`;
    const useCases = composeUseCases(config, around, adapters, {
      log,
      isDraining: () => draining.signal.aborted,
      publicUrlFor: (job) => config.PUBLIC_URL ?? job.origin ?? address,
    });
    const app = await composeHttp(config, around, adapters, useCases, { log, draining: draining.signal });
    const consumers = composeConsumers(config, around, adapters, useCases, { closers, log });
    const relay = config.roles.has('worker')
      ? composeRelay(config, around, adapters, { closers, log })
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
      surroundings: around,
      async start() {
        if (config.STORAGE === 'filesystem' && config.roles.size < roles.length) {
          const directory = join(config.DATA_DIR, 'images');
          log.warn(
            { directory },
            'pictures are files: every process of this deployment must share this folder',
          );
        }
        if (hasWeakKey(config)) {
          log.warn('API_KEYS or ADMIN_KEY holds a key of fewer than 16 characters, which can be guessed');
        }
        // Not fatal: the storage may still be starting, and paid pictures wait in the spool.
        adapters.storage.check().catch((error) => log.error({ err: error }, 'the storage is not usable'));
        // Whoever calls as soon as we listen should not meet a connection that is still being made.
        await adapters.whenConnected(redisPatienceMs);
        try {
          address = await listen(app, config.HOST, config.PORT);
        } catch (error) {
          await close();
          throw error;
        }
        // After that, so that a process that cannot be reached takes no work.
        for (const consumer of consumers) consumer.start();
        relay?.start();
        if (consumers.length > 0) startUpkeep(useCases, closers, log);
        if (config.roles.has('worker')) startHandIn(useCases, closers, draining.signal, log);
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
const waitingPlaces = { most: 20_000, mostOfOne: 10_000 };

/** Good enough for a test, and for nothing that can be reached from outside. */
function hasWeakKey({ API_KEYS, ADMIN_KEY }: Config): boolean {
  return [...(API_KEYS ?? []).map(({ key }) => key), ADMIN_KEY].some((key) => key && key.length < 16);
}

function composeHttp(
  config: Config,
  around: Surroundings,
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
      fileLinks: createFileLinks(around.secretsKey),
      waitingRoom: createTenantPlaces(waitingPlaces),
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
  around: Surroundings,
  adapters: Adapters,
  useCases: UseCases,
  options: { closers: Closers; log: Logger },
): TaskConsumer[] {
  const { closers, log } = options;
  const connect = (name: string) =>
    closers.add(openRedis(createWorkerRedis, config, around, log, name), (client) => client.disconnect());
  const consumers: TaskConsumer[] = [];
  if (config.roles.has('worker')) {
    const images = createTaskConsumer(
      { queue: adapters.queues.images, concurrency: config.WORKER_CONCURRENCY, lockDurationMs },
      { redis: connect('worker'), log },
      createImageWorker({ generateImage: useCases.generateImage, log }),
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
  around: Surroundings,
  { queues, imageQueue }: Adapters,
  { closers, log }: { closers: Closers; log: Logger },
): TaskRelay {
  const redis = closers.add(openRedis(createWorkerRedis, config, around, log, 'intake'), (client) =>
    client.disconnect(),
  );
  return closers.add(createTaskRelay(queues.images, { redis, queue: imageQueue, log }), (relay) =>
    relay.stop(),
  );
}

/** Hands in what lies on this worker's disk, now and from time to time. */
function startHandIn(useCases: UseCases, closers: Closers, signal: AbortSignal, log: Logger): void {
  const handIn = () => useCases.handInAnswers(signal);
  const onError = (error: unknown) => log.warn({ err: error }, 'the spool cannot be read, trying again');
  closers.add(every(handInPauseMs, handIn, onError, { firstAfterMs: 0 }), (stop) => stop());
}

/** Puts lost tasks back and does what is due. Every process with a worker does it; doing it twice does no harm. */
function startUpkeep(useCases: UseCases, closers: Closers, log: Logger): void {
  const repeat = (upkeep: 'reconcile' | 'sweep', pauseMs: number, firstAfterMs: number) => {
    const trouble = createTroubleLog(log, {
      fields: { upkeep },
      trouble: 'upkeep failed, trying again',
      over: 'upkeep works again',
    });
    const work = async () => {
      await useCases[upkeep]();
      trouble.worked();
    };
    closers.add(every(pauseMs, work, trouble.failed, { firstAfterMs }), (stop) => stop());
  };
  repeat('reconcile', reconcilePauseMs, 0);
  // Not at once: what lies on the disk of a worker that comes back is handed in before its jobs are ended.
  repeat('sweep', sweepPauseMs, sweepPauseMs);
}
