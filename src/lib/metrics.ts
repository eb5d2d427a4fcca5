import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Meter } from '../domain/ports.ts';

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** The depth of the queues, asked for when somebody looks. */
export interface QueueDepth {
  readonly queue: string;
  readonly state: string;
  readonly count: number;
}

export interface Metrics extends Meter {
  observeRequest(route: string, method: string, status: number, seconds: number): void;
  render(): Promise<{ contentType: string; text: string }>;
}

/**
 * Metrics in a registry of their own, so that two services in one process do not mix. Labels never hold ids or texts
 * of callers.
 */
export function createMetrics(options: {
  queueDepths: () => Promise<readonly QueueDepth[]>;
  oldestWaitingSeconds: () => Promise<number | null>;
  pendingDeliveries: () => Promise<number>;
}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Requests by route, method and status',
    labelNames: ['route', 'method', 'status'],
    buckets: seconds,
    registers,
  });
  const requestSeries = new Map<string, ReturnType<typeof requests.labels>>();
  const submitted = new Counter({
    name: 'darkroom_jobs_submitted_total',
    help: 'Accepted submissions; a replay is the same job again',
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
    help: 'Provider calls by kind, model and outcome',
    labelNames: ['kind', 'model', 'outcome'],
    buckets: seconds,
    registers,
  });
  const images = new Counter({
    name: 'darkroom_images_stored_total',
    help: 'Pictures stored',
    labelNames: ['content_type'],
    registers,
  });
  const bytes = new Counter({ name: 'darkroom_image_bytes_stored_total', help: 'Bytes stored', registers });
  const deliveries = new Histogram({
    name: 'darkroom_webhook_attempt_duration_seconds',
    help: 'Webhook attempts by outcome',
    labelNames: ['outcome'],
    buckets: seconds,
    registers,
  });
  new Gauge({
    name: 'darkroom_queue_tasks',
    help: 'Tasks by queue and state',
    labelNames: ['queue', 'state'],
    registers,
    async collect() {
      for (const depth of await options.queueDepths()) {
        this.set({ queue: depth.queue, state: depth.state }, depth.count);
      }
    },
  });
  new Gauge({
    name: 'darkroom_queue_oldest_open_seconds',
    help: 'Time since the last change of the unfinished job that changed longest ago',
    registers,
    async collect() {
      this.set((await options.oldestWaitingSeconds()) ?? 0);
    },
  });

  new Gauge({
    name: 'darkroom_webhook_deliveries_pending',
    help: 'Webhook deliveries that have not arrived yet and are not given up',
    registers,
    async collect() {
      this.set(await options.pendingDeliveries());
    },
  });

  return {
    submitted: (outcome) => submitted.inc({ outcome }),
    jobFinished: (status, code) => finished.inc({ status, code }),
    stageDone: (stage, value) => stages.observe({ stage }, value),
    providerCall: (kind, model, outcome, value) => calls.observe({ kind, model, outcome }, value),
    imageStored(contentType, sizeBytes) {
      images.inc({ content_type: contentType });
      bytes.inc(sizeBytes);
    },
    webhookAttempt: (outcome, value) => deliveries.observe({ outcome }, value),
    observeRequest(route, method, status, value) {
      // Looking the labels up takes longer than counting.
      const name = `${method} ${status} ${route}`;
      const series = requestSeries.get(name) ?? requests.labels(route, method, String(status));
      requestSeries.set(name, series);
      series.observe(value);
    },
    async render() {
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
