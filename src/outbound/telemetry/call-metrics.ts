import { STATUS_CODES } from 'node:http';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { Meter } from '../../domain/ports.ts';
import { durationBuckets } from './duration-buckets.ts';

/** Creates the metrics of calls to other services: providers and webhook endpoints. */
export function createCallMetrics(
  registers: Registry[],
): Pick<Meter, 'providerCall' | 'webhookAttempt' | 'tenantThrottled'> {
  const calls = new Histogram({
    name: 'darkroom_provider_call_duration_seconds',
    help: 'Provider calls by kind, provider, model and outcome',
    labelNames: ['kind', 'provider', 'model', 'outcome'],
    buckets: durationBuckets,
    registers,
  });
  const deliveries = new Histogram({
    name: 'darkroom_webhook_attempt_duration_seconds',
    help: 'Webhook attempts by outcome',
    labelNames: ['outcome'],
    buckets: durationBuckets,
    registers,
  });
  const throttles = new Counter({
    name: 'darkroom_moderation_throttles_total',
    help: 'Tenants that were throttled because moderation blocked too many of their prompts',
    registers,
  });
  return {
    tenantThrottled: () => throttles.inc(),
    providerCall: ({ kind, provider, model }, outcome, value) =>
      calls.observe({ kind, provider, model, outcome }, value),
    webhookAttempt: (outcome, value) => deliveries.observe({ outcome: labelOf(outcome) }, value),
  };
}

/** Returns the label of an outcome. An endpoint may invent hundreds of statuses, each of which would be a series for good. */
function labelOf(outcome: string): string {
  const status = /^http_(\d+)$/.exec(outcome)?.[1];
  return status === undefined || STATUS_CODES[status] !== undefined ? outcome : 'http_other';
}
