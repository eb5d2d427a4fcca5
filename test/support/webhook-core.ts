import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { onTestFinished, vi } from 'vitest';
import type { Author } from '../../src/domain/audit.ts';
import { webhookScheduleSeconds } from '../../src/domain/retry-schedule.ts';
import type { EndpointBody } from '../../src/domain/webhook-endpoint.ts';
import { eventFor } from '../../src/domain/webhook-event.ts';
import { createEncryptedSecrets } from '../../src/lib/crypto/encrypted-secrets.ts';
import { createKeyedDigest } from '../../src/lib/crypto/keyed-digest.ts';
import {
  createWebhookSecret,
  webhookSecretFault,
  webhookSecretOf,
} from '../../src/lib/crypto/webhook-secret.ts';
import { ids } from '../../src/lib/ids.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import { createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import { createWebhookSender } from '../../src/outbound/webhooks/sender.ts';
import { createEraseJob } from '../../src/usecases/jobs/erase-job.ts';
import { createPresentJob } from '../../src/usecases/jobs/present-job.ts';
import { createWebhooks } from '../../src/usecases/webhooks/index.ts';
import { builtInCatalogue } from './catalogue.ts';
import { connectCore, deliveryLogMs } from './core.ts';
import { createdAt, queuedJob } from './jobs.ts';
import { type Received, startEndpointServer } from './webhook-endpoints.ts';
import { consumeWebhooks } from './webhook-worker.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const tenant = 'acme';
/** Author of the changes of endpoints. */
export const author: Author = { tenant, actor: { kind: 'command_line' } };

interface Given {
  /** Uses real time instead of a clock that the test sets. */
  readonly realTime?: boolean;
  readonly slots?: number;
  readonly random?: () => number;
  /** Maximum numbers of requests per minute. Default: far above what tests send. */
  readonly requestsPerMinute?: { readonly perHost: number; readonly perTenant: number };
}

/**
 * Connects all webhook use cases of one tenant to the real Redis and the real sender. URLs on loopback are allowed. By
 * default the test sets the clock and starts every delivery run. `consume` starts the runs through the real queue.
 */
export async function connectWebhooks(given: Given = {}) {
  const core = await connectCore();
  let nowMs = createdAt;
  const clock = given.realTime ? Date.now : () => nowMs;
  const guard = createDestinationGuard({ allowPrivate: true, requireHttps: false });
  const secretsKey = randomBytes(32);
  const pricing = { catalogue: builtInCatalogue() };
  const presentJob = createPresentJob({ ...core, clock, ...pricing });

  /** Connects the webhook stores of one worker process over separate connections. */
  function buildWebhooks() {
    const sender = createWebhookSender({ guard, clock, userAgent: 'Darkroom/test' });
    onTestFinished(sender.close);
    return createWebhooks({
      ...{
        checkRoom: () => undefined,
        records: core.records,
        events: core.events,
        endpoints: core.endpoints,
      },
      ...{ deliveries: core.deliveries, deliveryQueues: core.deliveryQueues },
      sendLimits: core.sendLimits,
      ...{ webhookQueue: core.webhookQueue, meter: core.meter, log: core.log },
      ...{ clock, ids, guard, sender, presentJob },
      random: given.random ?? (() => 0),
      publicUrlFor: () => 'https://darkroom.example',
      secrets: secretsOf(secretsKey),
      policy: {
        ...{ schedule: webhookScheduleSeconds, disableAfterMs: 5 * dayMs, maxConcurrent: 8 },
        requestsPerMinute: given.requestsPerMinute ?? { perHost: 1_000_000, perTenant: 1_000_000 },
        ...{ slots: given.slots ?? 200, maxEndpoints: 100, logMs: deliveryLogMs },
      },
    });
  }

  const webhooks = buildWebhooks();
  const { dispatchEvent, deliverPending, manageEndpoints } = webhooks;
  const deliveryQueues = createKeys(core.prefix).deliveryQueues(tenant);
  const empty = (destinationKey: string, signal = new AbortController().signal) =>
    deliverPending({ tenant, id: destinationKey }, signal);
  const passTime = (ms: number) => {
    nowMs += ms;
  };

  return {
    ...core,
    ...webhooks,
    clock,
    passTime,
    /** Signs the webhooks whose URL is part of a job. */
    tenantSecret: webhookSecretOf(secretsKey, tenant),
    eraseJob: createEraseJob({ ...core, clock }),
    /** Returns the key of the delivery queue of a host that a job names. */
    hostDestinationKey: (url: string) => ids.hostDestinationKey(tenant, url),
    /** Registers an endpoint. */
    async register(body: EndpointBody) {
      const { secret, ...endpoint } = await manageEndpoints.create(author, body);
      if (secret === undefined) throw new Error('A new endpoint has a secret.');
      return { ...endpoint, secret };
    },
    /** Performs one delivery run, as a worker does. */
    empty,
    /** Performs one delivery run of another tenant. */
    emptyOf: (owner: string, destinationKey: string) =>
      deliverPending({ tenant: owner, id: destinationKey }, new AbortController().signal),
    /** Performs one delivery run in another worker process. */
    emptyElsewhere: (destinationKey: string) =>
      buildWebhooks().deliverPending({ tenant, id: destinationKey }, new AbortController().signal),
    /** Performs delivery runs until no delivery is due. @returns the milliseconds until the next delivery is due. */
    async emptyAll(destinationKey: string): Promise<number | null> {
      for (;;) {
        const result = await empty(destinationKey);
        if (!('againInMs' in result)) return null;
        if (result.againInMs > 0) return result.againInMs;
      }
    },
    /** Performs delivery runs and advances the clock between them, until the delivery queue is empty. */
    async emptyForGood(destinationKey: string): Promise<void> {
      for (;;) {
        await empty(destinationKey);
        const dueAt = await core.redis.zscore(deliveryQueues, destinationKey);
        if (dueAt === null) return;
        passTime(Math.max(0, Number(dueAt) - nowMs));
      }
    },
    /** Submits jobs, each of which causes `image.queued`, and enqueues those events. @returns the ids of the jobs. */
    async emit(count = 1, webhook?: { url: string }): Promise<string[]> {
      return Promise.all(
        Array.from({ length: count }, async () => {
          const job = queuedJob({ tenant, nowMs: clock(), request: webhook ? { webhook } : {} });
          const event = eventFor(job);
          await core.records.submit({ job, event, maxOpenJobs: 100_000 });
          await core.webhookQueue.add(
            { kind: 'dispatch_event', tenant, id: event.id },
            { priority: 'normal' },
          );
          return job.id;
        }),
      );
    },
    /** Dispatches every pending event. */
    async dispatch(): Promise<void> {
      const waiting = await core.events.listUndispatched(tenant, {
        beforeMs: Number.MAX_SAFE_INTEGER,
        limit: 100_000,
      });
      await Promise.all(waiting.map((id) => dispatchEvent({ tenant, id })));
    },
    /** Returns the deliveries to an endpoint, newest event first. */
    deliveriesTo: async (destinationKey: string) =>
      (await core.deliveries.list(tenant, { destinationKey, limit: 1_000 })).deliveries,
    /** Consumes the real queue, as a worker process does. @returns a function with the number of running tasks. */
    consume: (concurrency: number) => consumeWebhooks(core.queueNames.webhooks, concurrency, webhooks),
  };
}

function secretsOf(key: Buffer) {
  const encrypted = createEncryptedSecrets(key);
  return {
    create: createWebhookSecret,
    faultOf: webhookSecretFault,
    encrypt: encrypted.seal,
    decrypt: encrypted.unseal,
    digest: createKeyedDigest(key),
    ofTenant: (name: string) => webhookSecretOf(key, name),
  };
}

export type Webhooks = Awaited<ReturnType<typeof connectWebhooks>>;

/** Starts the webhook endpoint of one test. The test can change its response at any time. The first response is 200. */
export async function endpointServerOf(first: RequestListener | number = 200) {
  let respond = first;
  const endpointServer = await startEndpointServer((request, response) => {
    if (typeof respond === 'function') respond(request, response);
    else response.writeHead(respond).end('thanks');
  });
  onTestFinished(endpointServer.close);
  return {
    ...endpointServer,
    url: `http://127.0.0.1:${endpointServer.port}/hook`,
    response(next: RequestListener | number) {
      respond = next;
    },
    /** Counts the requests of each event, by event id. */
    times() {
      const times = new Map<string, number>();
      for (const { headers } of endpointServer.requests) {
        const id = String(headers['webhook-id']);
        times.set(id, (times.get(id) ?? 0) + 1);
      }
      return times;
    },
  };
}

/** Holds requests without a response until the test releases them. */
export function held() {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const listener =
    (status: number): RequestListener =>
    (_request, response) =>
      void released.then(() => response.writeHead(status).end());
  return { listener, release: () => release() };
}

/**
 * Runs a function at the time of an attempt, because verifiers compare the timestamp of the attempt with their clock.
 */
export function atTimeOf<Result>({ headers }: Pick<Received, 'headers'>, work: () => Result): Result {
  vi.setSystemTime(Number(headers['webhook-timestamp']) * 1000);
  try {
    return work();
  } finally {
    vi.useRealTimers();
  }
}

/** Returns whether a request is signed with a secret, as any endpoint verifies it. */
export function isSignedWith(request: Pick<Received, 'headers' | 'body'>, secret: string): boolean {
  try {
    const headers = request.headers as Record<string, string>;
    atTimeOf(request, () => new Webhook(secret).verify(request.body, headers));
    return true;
  } catch {
    return false;
  }
}
