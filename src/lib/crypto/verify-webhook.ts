import { createHmac, timingSafeEqual } from 'node:crypto';

/** Maximum difference of the clocks of sender and endpoint, in either direction (Standard Webhooks 1.0.0). */
const toleranceSeconds = 300;
/** Maximum number of signatures to check. Senders use one or two. */
const maxSignatures = 32;

export interface WebhookHeaders {
  readonly id: string | undefined;
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
}

/**
 * Verifies a delivery by the rules of Standard Webhooks 1.0.0. Returns the reason if it is not genuine, otherwise `null`.
 *
 * @param body the received bytes as text, unchanged.
 * @param secret `whsec_` and base64.
 */
export function objectionToWebhook(
  headers: WebhookHeaders,
  body: string,
  options: { secret: string; nowMs: number },
): string | null {
  const { id, timestamp, signature } = headers;
  if (!id || !timestamp || !signature) return 'a webhook- header is missing';
  if (!/^\d{1,12}$/.test(timestamp)) return 'the timestamp is not a number of seconds';
  if (Math.abs(options.nowMs / 1000 - Number(timestamp)) > toleranceSeconds) {
    return `it was sent more than ${toleranceSeconds / 60} minutes ago, or the clocks differ`;
  }
  const key = Buffer.from(options.secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  const isGenuine = signature
    .split(' ', maxSignatures)
    .filter((each) => each.startsWith('v1,'))
    .map((each) => Buffer.from(each.slice('v1,'.length), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
  return isGenuine ? null : 'no signature matches the secret';
}
