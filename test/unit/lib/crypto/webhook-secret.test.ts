import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseWebhookSecret } from '../../../../src/lib/crypto/webhook-secret.ts';

const newSecret = (sizeBytes = 32) => `whsec_${randomBytes(sizeBytes).toString('base64')}`;

describe('parseWebhookSecret', () => {
  it.each([24, 25, 26, 32, 64])('parses a webhook secret of %i bytes to exactly these bytes', (sizeBytes) => {
    const key = randomBytes(sizeBytes);
    expect(parseWebhookSecret(`whsec_${key.toString('base64')}`)).toEqual(key);
  });

  it.each([
    ['nothing', ''],
    ['no prefix', randomBytes(32).toString('base64')],
    ['the prefix of a private key', `whsk_${randomBytes(32).toString('base64')}`],
    ['an empty key', 'whsec_'],
    ['a short key', newSecret(23)],
    ['a long key', newSecret(65)],
    ['padding left out', `whsec_${Buffer.alloc(25, 7).toString('base64').replace(/=+$/, '')}`],
    ['the URL alphabet', `whsec_${Buffer.alloc(33, 0xff).toString('base64url')}`],
    ['a line break at the end', `${newSecret()}\n`],
    ['text that is not base64', 'whsec_this is my favorite secret of all'],
    ['bits that no byte holds', `whsec_${Buffer.alloc(32, 0).toString('base64').replace(/A=$/, 'B=')}`],
  ])('refuses a webhook secret with %s and never repeats the secret', (_what, text) => {
    const parse = () => parseWebhookSecret(text);
    expect(parse).toThrow(expect.objectContaining({ name: 'WebhookSecretError' }));
    const encoded = text.replace(/^whsec_/, '').trim();
    if (encoded) expect(parse).not.toThrow(encoded);
  });
});
