import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { parseWebhookSecret, WebhookSecretError } from './webhook-secret.ts';

/** The three headers of Standard Webhooks 1.0.0. */
export const webhookHeaders = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
} as const;

interface SignedMessage {
  readonly id: string;
  readonly timestampSeconds: number;
  /** Body of the request, exactly as sent in UTF-8. */
  readonly body: string;
  /** One or more secrets in the form that `parseWebhookSecret` accepts. */
  readonly secrets: readonly string[];
}

/**
 * Function that signs an attempt with HMAC-SHA256 over `id.timestamp.body`, once per secret. During a rotation the old
 * and the new secret both verify.
 *
 * @returns the value of `webhook-signature`: `v1,<base64>`, space-separated.
 * @throws WebhookSecretError if there is no secret or a secret is malformed. An empty key never signs anything.
 */
export type SignWebhook = (message: SignedMessage) => string;

const maxKeys = 1_000;

/** Creates a signer that caches the keys of recently used secrets. Parsing a secret takes as long as signing with it. */
export function createWebhookSigner(): SignWebhook {
  const keys = new Map<string, KeyObject>();

  function keyOf(secret: string): KeyObject {
    const known = keys.get(secret);
    if (known) return known;
    if (keys.size >= maxKeys) keys.clear();
    const key = createSecretKey(parseWebhookSecret(secret));
    keys.set(secret, key);
    return key;
  }

  return ({ id, timestampSeconds, body, secrets }) => {
    if (secrets.length === 0)
      throw new WebhookSecretError('there is none, and webhooks are never sent unsigned');
    const signed = `${id}.${timestampSeconds}.${body}`;
    return secrets
      .map((secret) => `v1,${createHmac('sha256', keyOf(secret)).update(signed).digest('base64')}`)
      .join(' ');
  };
}
