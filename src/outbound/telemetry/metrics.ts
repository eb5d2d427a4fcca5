import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { AppError } from '../../domain/errors.ts';
import type { Meter } from '../../domain/ports.ts';
import { idle } from '../../lib/sleep.ts';

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Timeout of the query of the store. It is well below the scrape timeout of Prometheus, 10 s by default. */
const storeLimitMs = 3_000;

/** Figures of the whole deployment that only the store has. They are queried during a scrape. */
export interface StoreFigures {
  readonly queueTasks: readonly { readonly queue: string; readonly state: string; readonly count: number }[];
  /** Time since the creation of the oldest job in a state. 0 if no job is in the state. */
  readonly oldestJobs: readonly { readonly state: 'queued' | 'running'; readonly seconds: number }[];
  readonly pendingDeliveries: number;
  /** Open circuit breakers of provider calls. */
  readonly blockedScopes: readonly {
    readonly provider: string;
    /** `account` or `model`. Names of models are left out, because callers may invent them. */
    readonly kind: string;
    readonly code: string;
    readonly count: number;
  }[];
  /** Whether Redis writes an append-only file, or `null` if it does not report it. */
  readonly isAofOn: boolean | null;
}

/** Bytes of all responses in a spool, and the number of bytes at which the spool accepts no further response. */
export interface SpoolFigures {
  readonly usedBytes: number;
  readonly fullBytes: number;
}

export interface Metrics extends Meter {
  observeRequest(route: string, method: string, status: number, seconds: number): void;
  /** Returns all metrics within seconds. Omits the figures of the store if the store does not reply in time. */
  render(): Promise<{ contentType: string; text: string }>;
}

/**
 * Creates the metrics in a separate registry, so that two services in one process do not mix. Labels never contain ids or
 * texts of callers.
 *
 * @param askSpool returns the usage of this process's spool. Absent if the process has no spool.
 */
export function createMetrics(
  queryStore: () => Promise<StoreFigures>,
  askSpool?: () => Promise<SpoolFigures>,
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Requests by route, method and status',
    labelNames: ['http_route', 'http_request_method', 'http_response_status_code'],
    buckets: seconds,
    registers,
  });
  const requestSeries = new Map<string, ReturnType<typeof requests.labels>>();
  const submitted = new Counter({
    name: 'darkroom_jobs_submitted_total',
    help: 'Accepted submissions; a replay returns an earlier job',
    labelNames: ['outcome'],
    registers,
  });
  const finished = new Counter({
    name: 'darkroom_jobs_finished_total',
    help: 'Ended jobs by status and error code',
    labelNames: ['status', 'code'],
    registers,
  });
  const stages = new Histogram({
    name: 'darkroom_stage_duration_seconds',
    help: 'Time spent in each stage',
    labelNames: ['stage'],
    buckets: seconds,
    registers,
  });
  const calls = new Histogram({
    name: 'darkroom_provider_call_duration_seconds',
    help: 'Provider calls by kind, provider, model and outcome',
    labelNames: ['kind', 'provider', 'model', 'outcome'],
    buckets: seconds,
    registers,
  });
  const images = new Counter({
    name: 'darkroom_images_stored_total',
    help: 'Images stored',
    labelNames: ['content_type'],
    registers,
  });
  const bytes = new Counter({
    name: 'darkroom_images_stored_bytes_total',
    help: 'Bytes of the images stored',
    registers,
  });
  const deliveries = new Histogram({
    name: 'darkroom_webhook_attempt_duration_seconds',
    help: 'Webhook attempts by outcome',
    labelNames: ['outcome'],
    buckets: seconds,
    registers,
  });
  const unreadable = new Counter({
    name: 'darkroom_unreadable_records_total',
    help: 'Stored records that were skipped because this release cannot read them',
    labelNames: ['kind'],
    registers,
  });
  const storeUp = new Gauge({
    name: 'darkroom_store_up',
    help: 'Whether the store responded to the query of this scrape; if 0, figures of the store are omitted',
    registers,
  });
  const store = createStoreGauges();
  let asking: Promise<StoreFigures | null> | undefined;
  if (askSpool) createSpoolGauges(registers, askSpool);

  return {
    submitted: (outcome) => submitted.inc({ outcome }),
    jobFinished: (status, code) => finished.inc({ status, code }),
    stageDone: (stage, value) => stages.observe({ stage }, value),
    providerCall: ({ kind, provider, model }, outcome, value) =>
      calls.observe({ kind, provider, model, outcome }, value),
    imageStored(contentType, sizeBytes) {
      images.inc({ content_type: contentType });
      bytes.inc(sizeBytes);
    },
    webhookAttempt: (outcome, value) => deliveries.observe({ outcome }, value),
    recordUnreadable: (kind) => unreadable.inc({ kind }),
    observeRequest(route, method, status, value) {
      // Cached, because finding the labels takes longer than counting.
      const name = `${method} ${status} ${route}`;
      const series = requestSeries.get(name) ?? requests.labels(route, method, String(status));
      requestSeries.set(name, series);
      series.observe(value);
    },
    async render() {
      // Concurrent scrapes share one query, because a scrape costs the store several commands for each tenant.
      asking ??= responseOf(queryStore).finally(() => {
        asking = undefined;
      });
      const figures = await asking;
      storeUp.set(figures ? 1 : 0);
      const own = await registry.metrics();
      return { contentType: registry.contentType, text: figures ? own + (await store.show(figures)) : own };
    },
  };
}

/** Creates the gauges of this process's spool. They retain their values if the disk cannot be read. */
function createSpoolGauges(registers: Registry[], askSpool: () => Promise<SpoolFigures>): void {
  const limit = new Gauge({
    name: 'darkroom_spool_limit_bytes',
    help: 'Size of the spool at which provider calls stop',
    registers,
  });
  new Gauge({
    name: 'darkroom_spool_bytes',
    help: 'Bytes of provider responses that are not stored yet',
    registers,
    async collect() {
      const usage = await askSpool().catch(() => null);
      if (!usage) return;
      this.set(usage.usedBytes);
      limit.set(usage.fullBytes);
    },
  });
}

/** Creates the gauges of the store in a separate registry, so that a scrape can omit them. */
function createStoreGauges() {
  const registry = new Registry();
  const registers = [registry];
  const tasks = new Gauge({
    name: 'darkroom_queue_tasks',
    help: 'Tasks by queue and state',
    labelNames: ['queue', 'state'],
    registers,
  });
  const ages = new Gauge({
    name: 'darkroom_oldest_job_age_seconds',
    help: 'Time since the creation of the oldest job in a state; 0 if there is none',
    labelNames: ['state'],
    registers,
  });
  const aof = new Gauge({
    name: 'darkroom_redis_aof_enabled',
    help: 'Whether Redis writes an append-only file; without one, accepted jobs are lost when its process ends',
    registers,
  });
  const pending = new Gauge({
    name: 'darkroom_webhook_deliveries_pending',
    help: 'Webhook deliveries that are neither delivered nor failed',
    registers,
  });
  const blocked = new Gauge({
    name: 'darkroom_provider_scopes_blocked',
    help: 'Open circuit breakers of provider calls by provider, kind of scope and error code',
    labelNames: ['provider', 'kind', 'code'],
    registers,
  });
  return {
    show(figures: StoreFigures): Promise<string> {
      blocked.reset();
      for (const { count, ...labels } of figures.blockedScopes) blocked.set(labels, count);
      for (const { queue, state, count } of figures.queueTasks) tasks.set({ queue, state }, count);
      for (const { state, seconds: age } of figures.oldestJobs) ages.set({ state }, age);
      if (figures.isAofOn === null) aof.remove();
      else aof.set(figures.isAofOn ? 1 : 0);
      pending.set(figures.pendingDeliveries);
      return registry.metrics();
    },
  };
}

/** Returns the figures of the store, or `null` if the store is unavailable or too slow. */
function responseOf(queryStore: () => Promise<StoreFigures>): Promise<StoreFigures | null> {
  const asked = queryStore().catch((error) => {
    if (error instanceof AppError && error.code === 'store_unavailable') return null;
    throw error;
  });
  return Promise.race([asked, idle(storeLimitMs).then(() => null)]);
}
