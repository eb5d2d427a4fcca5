import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { roles } from '../config/variables.ts';
import { listen } from '../inbound/http/listen.ts';
import { createClosers } from '../lib/closers.ts';
import { createGracefulWaits } from '../lib/graceful-waits.ts';
import { createConnectionSet } from '../lib/redis/connection-set.ts';
import { type Adapters, composeAdapters } from './adapters.ts';
import { weakKeyOf } from './bootstrap-keys.ts';
import { composeConsole } from './console.ts';
import { composeHttp } from './http.ts';
import { composeEnvironment, type Environment } from './local.ts';
import type { Root } from './root.ts';
import { reportProcess } from './status.ts';
import { describeStorage } from './storage.ts';
import { composeUseCases } from './use-cases.ts';
import { composeWorkers } from './workers.ts';

/** Service that is built but not started. */
export interface Service {
  readonly app: FastifyInstance;
  readonly environment: Environment;
  /** Location of the images, for people. */
  readonly storage: string;
  /** Token that signs a browser in to the console once. Undefined outside `dev`. */
  readonly signInToken: string | undefined;
  /**
   * Listens, then starts the workers.
   *
   * @returns the address, for people.
   * @throws Error with the remedy if the address is unavailable. Everything is then closed, and no worker was started.
   */
  start(): Promise<string>;
  /** Reads the model catalogue and the presets of the operator again. Faulty files are logged and change nothing. */
  reload(): void;
  /**
   * Stops the service in steps:
   *
   * 1. Readiness fails, and workers accept no new tasks.
   * 2. Running work finishes or returns to the queue, and requests that wait for images get them.
   * 3. The server stops listening.
   * 4. All resources are closed.
   */
  close(): Promise<void>;
}

export interface ComposeOptions {
  readonly log: Logger;
  /** Receives one line for each step of the start that takes time. */
  readonly say?: (line: string) => void;
}

/** Maximum time that the start waits for Redis. The service then listens without Redis and responds with 503. */
const redisTimeoutMs = 2_000;

/**
 * Builds the service for a configuration. Several services may exist in one process, because they share no state.
 *
 * Construction: environment, adapters, use cases, HTTP server, workers. Closing: workers, HTTP server, then adapters and
 * environment in reverse.
 */
export async function compose(config: Config, { log, say }: ComposeOptions): Promise<Service> {
  const closers = createClosers((error) => log.warn({ err: error }, 'not closed cleanly'));
  const stop = new AbortController();
  const draining = stop.signal;
  // The number of listeners is unlimited, because every waiting request listens to the signal.
  setMaxListeners(0, draining);
  try {
    const environment = await composeEnvironment(config, closers, {
      say: say ?? ((line) => log.info(line)),
    });
    const connections = createConnectionSet(`${config.REDIS_KEY_PREFIX}:probe`);
    const gracefulWaits = createGracefulWaits();
    const root: Root = {
      ...{ config, environment, process: randomUUID(), log, connections, closers, draining },
      gracefulWaits,
    };
    const adapters = await composeAdapters(root);
    let address = `http://localhost:${config.PORT}`;
    const useCases = composeUseCases(root, adapters, {
      publicUrlFor: (job) => config.PUBLIC_URL ?? job.origin ?? address,
    });
    const console = composeConsole(root);
    const app = await composeHttp(root, { adapters, useCases, console });
    const workers = composeWorkers(root, adapters, useCases);

    async function start(): Promise<string> {
      warnOfRisks(root, adapters);
      if (config.roles.has('api')) closers.add(adapters.records.presence(root.process), (end) => end());
      // A failure is not fatal, because the storage may still be starting and paid responses wait in the spool.
      adapters.storage.check().catch((error) => log.error({ err: error }, 'storage is not usable'));
      adapters.staging.sweep().catch((error) => log.warn({ err: error }, 'received files not swept'));
      // The start waits for the connections, because the first requests would fail while they open.
      await connections.whenReady(redisTimeoutMs);
      adapters.durability.warn().catch((error) => log.warn({ err: error }, 'append-only file not checked'));
      try {
        address = await listen(app, config.HOST, config.PORT);
      } catch (error) {
        await close();
        throw error;
      }
      // Workers start last, so that an unreachable process takes no work.
      workers.start();
      reportProcess(root, adapters);
      return address;
    }

    async function close(): Promise<void> {
      stop.abort();
      // The server still listens, so that load balancers see the failed readiness and callers see how their jobs end.
      const graceMs = config.SHUTDOWN_GRACE_S * 1000;
      await Promise.all([workers.drain(graceMs), gracefulWaits.drain(graceMs)]);
      await app.close();
      await closers.close();
    }

    return {
      app,
      environment,
      storage: describeStorage(config),
      signInToken: console.signInLink?.token,
      start,
      reload: adapters.reloadCatalogues,
      close,
    };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** Logs warnings for settings that are a risk in production. */
function warnOfRisks({ config, log }: Root, { storage }: Adapters): void {
  if (storage.isServedHere && config.roles.size < roles.length) {
    log.warn(
      { storage: describeStorage(config) },
      'images are files: every process of this deployment must share this folder',
    );
  }
  const weakness = weakKeyOf(config);
  if (weakness) log.warn(weakness);
}
