import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { createWebhookSigner, webhookHeaders } from '../../../../src/lib/crypto/sign-webhook.ts';
import { WebhookSecretError } from '../../../../src/lib/crypto/webhook-secret.ts';

const newSecret = (sizeBytes = 32) => `whsec_${randomBytes(sizeBytes).toString('base64')}`;
const nowSeconds = () => Math.floor(Date.now() / 1000);

/** Returns whether the reference verifier accepts a signature. */
function verifies(
  secret: string,
  body: string | Buffer,
  { signature, id = 'evt_1', timestampSeconds }: { signature: string; id?: string; timestampSeconds: number },
): boolean {
  const headers = {
    [webhookHeaders.id]: id,
    [webhookHeaders.timestamp]: String(timestampSeconds),
    [webhookHeaders.signature]: signature,
  };
  try {
    new Webhook(secret).verify(body, headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}

const sign = createWebhookSigner();

describe('webhook signatures', () => {
  it('signs a known key, id, time and body like the reference library', () => {
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const signature = sign({
      id: 'evt_1',
      timestampSeconds: 1_700_000_000,
      body: '{}',
      secrets: [secret],
    });
    expect(signature).toBe(new Webhook(secret).sign('evt_1', new Date(1_700_000_000_000), '{}').toString());
    expect(signature).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
  });

  it('creates signatures that the reference verifier accepts for any body, id and key length', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '.', '"', '\u0000', '\n', 'é', '夜', '😀') }),
        fc.nat().map((number) => `evt_${number}`),
        fc.integer({ min: 24, max: 64 }),
        (body, id, sizeBytes) => {
          const secret = newSecret(sizeBytes);
          const timestampSeconds = nowSeconds();
          const signature = sign({ id, timestampSeconds, body, secrets: [secret] });
          return verifies(secret, body, { signature, id, timestampSeconds });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('never verifies a body with one changed byte', () => {
    const secret = newSecret();
    const body = JSON.stringify({ type: 'image.succeeded', data: { id: 'img_1', prompt: 'Zürich, 夜' } });
    const timestampSeconds = nowSeconds();
    const signature = sign({ id: 'evt_1', timestampSeconds, body, secrets: [secret] });
    const bytes = Buffer.from(body);
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(verifies(secret, changed, { signature, timestampSeconds })).toBe(false);
    }
    expect(verifies(secret, bytes, { signature, timestampSeconds })).toBe(true);
  });

  it('never verifies a signature under another id, time or secret', () => {
    const secret = newSecret();
    const timestampSeconds = nowSeconds();
    const signature = sign({ id: 'evt_1', timestampSeconds, body: '{}', secrets: [secret] });
    expect(verifies(secret, '{}', { signature, id: 'evt_2', timestampSeconds })).toBe(false);
    expect(verifies(secret, '{}', { signature, timestampSeconds: timestampSeconds - 1 })).toBe(false);
    expect(verifies(newSecret(), '{}', { signature, timestampSeconds })).toBe(false);
  });

  it('verifies with the old and the new secret while both sign', () => {
    const [older, newer] = [newSecret(), newSecret()];
    const timestampSeconds = nowSeconds();
    const signature = sign({ id: 'evt_1', timestampSeconds, body: '{}', secrets: [newer, older] });
    expect(signature.split(' ')).toHaveLength(2);
    expect(verifies(older, '{}', { signature, timestampSeconds })).toBe(true);
    expect(verifies(newer, '{}', { signature, timestampSeconds })).toBe(true);
  });

  it('refuses to sign without a secret or with an empty one', () => {
    const message = { id: 'evt_1', timestampSeconds: 1, body: '{}' };
    expect(() => sign({ ...message, secrets: [] })).toThrow(/never sent unsigned/);
    expect(() => sign({ ...message, secrets: [newSecret(), ''] })).toThrow(WebhookSecretError);
    expect(() => sign({ ...message, secrets: ['whsec_'] })).toThrow(/24 to 64 bytes/);
  });
});
