import { hkdfSync, randomBytes } from 'node:crypto';

/**
 * The secret that signs a tenant's webhooks, in the form of Standard Webhooks. Derived (RFC 5869), so that it need not
 * be stored and no tenant can sign for another.
 */
export function webhookSecretOf(secretsKey: Buffer, tenant: string): string {
  const bytes = Buffer.from(hkdfSync('sha256', secretsKey, '', `darkroom webhooks of ${tenant} v1`, 32));
  return `whsec_${bytes.toString('base64')}`;
}

/** A new secret of 256 random bits. */
export function createWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
