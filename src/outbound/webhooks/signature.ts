import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { parseWebhookSecret, WebhookSecretError } from '../../lib/crypto/webhook-secret.ts';

/** The three headers of Standard Webhooks 1.0.0. */
export const webhookHeaders = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
} as const;

interface SignedMessage {
  readonly id: string;
  readonly timestampSeconds: number;
  /** Exactly the text that is sent, as UTF-8. */
  readonly body: string;
  /** One or more, each as `parseWebhookSecret` takes it. */
  readonly secrets: readonly string[];
}

/**
 * Signs an attempt: HMAC-SHA256 over `id.timestamp.body`, once per secret, so that an old and a new secret both verify
 * while one replaces the other.
 *
 * @returns the value of `webhook-signature`: `v1,<base64>`, space-separated.
 * @throws WebhookSecretError if there is no secret or one is malformed; nothing is ever signed with an empty key.
 */
export type SignWebhook = (message: SignedMessage) => string;

const maxKeys = 1_000;

/** A signer that keeps the keys of the secrets it used last: reading one takes as long as signing with it. */
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
