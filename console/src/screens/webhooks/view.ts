import type { DeliveryAttempt, WebhookDelivery, WebhookEndpoint } from '../../api/types.ts';
import type { webhooks } from '../../strings/en/webhooks.ts';

/** A status as the badge shows it. */
export interface Shown {
  readonly status: string;
  readonly icon: 'success' | 'warning' | 'failed' | 'canceled' | 'queued' | 'retry';
  readonly text: keyof typeof webhooks;
}

/** Returns the health of an endpoint. */
export function healthOf({ status, disabled_reason, health }: WebhookEndpoint): Shown {
  if (status === 'disabled') {
    return { status: 'disabled', icon: 'canceled', text: `disabled.${disabled_reason ?? 'requested'}` };
  }
  if (health.failing_since !== null) return { status: 'failing', icon: 'warning', text: 'failingSince' };
  return { status: 'healthy', icon: 'success', text: 'healthy' };
}

/** Returns the status of a delivery, or null if only a newer server knows it. */
export function stateOf({ status, attempt_count }: WebhookDelivery): Shown | null {
  if (status === 'delivered') return { status, icon: 'success', text: 'delivery.delivered' };
  if (status === 'failed') return { status, icon: 'failed', text: 'delivery.failed' };
  if (status !== 'pending') return null;
  return attempt_count === 0
    ? { status: 'queued', icon: 'queued', text: 'delivery.queued' }
    : { status: 'retrying', icon: 'retry', text: 'delivery.retrying' };
}

/** Returns the result of an attempt in a few characters: the HTTP status, or the reason in one word. */
export function resultOf({ status, outcome }: Pick<DeliveryAttempt, 'status' | 'outcome'>): string {
  return status === null ? outcome.replaceAll('_', ' ') : String(status);
}

/** Returns the host of an address, with its port. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

const dayMs = 86_400_000;

/** Returns the time from which a recovery makes sense: the begin of the failures, otherwise a day ago. */
export function recoverySince({ health, disabled_at }: WebhookEndpoint, nowMs: number): string {
  return health.failing_since ?? disabled_at ?? new Date(nowMs - dayMs).toISOString();
}

/** Returns a time as the value of a `datetime-local` input, in the zone of the browser. Seconds are cut off. */
export function localInputOf(iso: string): string {
  const at = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Returns the time of a `datetime-local` input as the API expects it, or null if it is not complete. */
export function timeOfInput(value: string): string | null {
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
