import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { AppError } from '../../domain/errors.ts';

/** The three headers of Standard Webhooks 1.0.0. */
export const webhookHeaders = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
} as const;

const secretPrefix = 'whsec_';
const minKeyBytes = 24;
const maxKeyBytes = 64;

/**
 * Reads a signing secret: `whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks 1.0.0). Only the canonical,
 * padded spelling is accepted, because decoders differ in what they make of any other.
 *
 * @returns the key's bytes, never empty.
 * @throws AppError `validation_failed`; the text never repeats the secret.
 */
export function parseWebhookSecret(text: string): Buffer {
  if (!text.startsWith(secretPrefix)) {
    throw badSecret(`it must start with ${secretPrefix}`);
  }
  const encoded = text.slice(secretPrefix.length);
  const key = Buffer.from(encoded, 'base64');
  if (key.toString('base64') !== encoded) {
    throw badSecret(`what follows ${secretPrefix} must be base64 with padding`);
  }
  if (key.length < minKeyBytes || key.length > maxKeyBytes) {
    throw badSecret(`it must hold ${minKeyBytes} to ${maxKeyBytes} bytes, this one holds ${key.length}`);
  }
  return key;
}

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
  if (secrets.length === 0) throw badSecret('there is none, and webhooks are never sent unsigned');
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

function badSecret(reason: string): AppError {
  return new AppError('validation_failed', {
    detail: `The webhook secret cannot be used: ${reason}. Make one with: echo "whsec_$(openssl rand -base64 32)"`,
  });
}
