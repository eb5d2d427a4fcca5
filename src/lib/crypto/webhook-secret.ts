import { hkdfSync, randomBytes } from 'node:crypto';

const secretPrefix = 'whsec_';
const minKeyBytes = 24;
const maxKeyBytes = 64;

/**
 * Returns the secret that signs a tenant's webhooks, in the form of Standard Webhooks. It is derived (RFC 5869), so it is
 * not stored, and no tenant can sign for another.
 */
export function webhookSecretOf(secretsKey: Buffer, tenant: string): string {
  const bytes = Buffer.from(hkdfSync('sha256', secretsKey, '', `darkroom webhooks of ${tenant} v1`, 32));
  return secretPrefix + bytes.toString('base64');
}

/** Creates a secret of 256 random bits. */
export function createWebhookSecret(): string {
  return secretPrefix + randomBytes(32).toString('base64');
}

/**
 * Reads a signing secret: `whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks 1.0.0). Only the canonical, padded
 * spelling is accepted, because decoders read others differently.
 *
 * @returns the bytes of the key, never empty.
 * @throws WebhookSecretError, whose message does not repeat the secret.
 */
export function parseWebhookSecret(text: string): Buffer {
  if (!text.startsWith(secretPrefix)) {
    throw new WebhookSecretError(`it must start with ${secretPrefix}`);
  }
  const encoded = text.slice(secretPrefix.length);
  const key = Buffer.from(encoded, 'base64');
  if (key.toString('base64') !== encoded) {
    throw new WebhookSecretError(`the text after ${secretPrefix} must be base64 with padding`);
  }
  if (key.length < minKeyBytes || key.length > maxKeyBytes) {
    throw new WebhookSecretError(
      `it must have ${minKeyBytes} to ${maxKeyBytes} bytes, but has ${key.length}`,
    );
  }
  return key;
}

/** An invalid signing secret. The message says how to create a valid one. */
export class WebhookSecretError extends Error {
  /** The fault, without the text of the secret. */
  readonly reason: string;

  constructor(reason: string) {
    super(
      `The webhook secret cannot be used: ${reason}. Create one with: echo "whsec_$(openssl rand -base64 32)"`,
    );
    this.name = 'WebhookSecretError';
    this.reason = reason;
  }
}

/** Returns the fault of a secret, or `null` if the secret is valid. */
export function webhookSecretFault(text: string): WebhookSecretError | null {
  try {
    parseWebhookSecret(text);
    return null;
  } catch (error) {
    if (error instanceof WebhookSecretError) return error;
    throw error;
  }
}
