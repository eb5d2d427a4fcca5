import { hkdfSync, randomBytes } from 'node:crypto';

const secretPrefix = 'whsec_';
const minKeyBytes = 24;
const maxKeyBytes = 64;

/**
 * The secret that signs a tenant's webhooks, in the form of Standard Webhooks. Derived (RFC 5869), so that it need not
 * be stored and no tenant can sign for another.
 */
export function webhookSecretOf(secretsKey: Buffer, tenant: string): string {
  const bytes = Buffer.from(hkdfSync('sha256', secretsKey, '', `darkroom webhooks of ${tenant} v1`, 32));
  return secretPrefix + bytes.toString('base64');
}

/** A new secret of 256 random bits. */
export function createWebhookSecret(): string {
  return secretPrefix + randomBytes(32).toString('base64');
}

/**
 * Reads a signing secret: `whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks 1.0.0). Only the canonical,
 * padded spelling is accepted, because decoders differ in what they make of any other.
 *
 * @returns the key's bytes, never empty.
 * @throws WebhookSecretError; the text never repeats the secret.
 */
export function parseWebhookSecret(text: string): Buffer {
  if (!text.startsWith(secretPrefix)) {
    throw new WebhookSecretError(`it must start with ${secretPrefix}`);
  }
  const encoded = text.slice(secretPrefix.length);
  const key = Buffer.from(encoded, 'base64');
  if (key.toString('base64') !== encoded) {
    throw new WebhookSecretError(`what follows ${secretPrefix} must be base64 with padding`);
  }
  if (key.length < minKeyBytes || key.length > maxKeyBytes) {
    throw new WebhookSecretError(
      `it must hold ${minKeyBytes} to ${maxKeyBytes} bytes, this one holds ${key.length}`,
    );
  }
  return key;
}

/** A signing secret that cannot be used. The message says how to create one that can. */
export class WebhookSecretError extends Error {
  /** What is wrong with the secret, without its text. */
  readonly reason: string;

  constructor(reason: string) {
    super(
      `The webhook secret cannot be used: ${reason}. Create one with: echo "whsec_$(openssl rand -base64 32)"`,
    );
    this.name = 'WebhookSecretError';
    this.reason = reason;
  }
}

/** Returns why a secret cannot be used; `null` if it can. */
export function webhookSecretFault(text: string): WebhookSecretError | null {
  try {
    parseWebhookSecret(text);
    return null;
  } catch (error) {
    if (error instanceof WebhookSecretError) return error;
    throw error;
  }
}
