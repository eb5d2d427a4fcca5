import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { parseWebhookSecret, unusableSecret } from '../../lib/webhook-secret.ts';

/** The three headers of Standard Webhooks 1.0.0. */
export const webhookHeaders = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
} as const;

/**
 * Signs one attempt: HMAC-SHA256 over `id.timestamp.body`, once per secret, so that an old and a new secret both
 * verify while one replaces the other.
 *
 * @param message.body exactly the text that is sent, as UTF-8.
 * @param message.secrets one or more, each as `parseWebhookSecret` takes it.
 * @returns the value of `webhook-signature`: `v1,<base64>`, space-separated.
 * @throws AppError `validation_failed` when there is no secret or one is malformed; nothing is ever signed with an empty key.
 */
export function signWebhook(message: {
  id: string;
  timestampSeconds: number;
  body: string;
  secrets: readonly string[];
}): string {
  const { id, timestampSeconds, body, secrets } = message;
  if (secrets.length === 0) throw unusableSecret('there is none, and webhooks are never sent unsigned');
  const signed = `${id}.${timestampSeconds}.${body}`;
  return secrets
    .map((secret) => `v1,${createHmac('sha256', keyOf(secret)).update(signed).digest('base64')}`)
    .join(' ');
}

/** Keys of the secrets that were last used: reading one takes as long as signing with it. */
const keys = new Map<string, KeyObject>();
const mostKeys = 1_000;

function keyOf(secret: string): KeyObject {
  const known = keys.get(secret);
  if (known) return known;
  if (keys.size >= mostKeys) keys.clear();
  const key = createSecretKey(parseWebhookSecret(secret));
  keys.set(secret, key);
  return key;
}
