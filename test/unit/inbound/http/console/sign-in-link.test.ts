import { describe, expect, it } from 'vitest';
import { createSignInLink } from '../../../../../src/inbound/http/console/sign-in-link.ts';
import { storageNamed } from '../../../../../src/outbound/storage/registry.ts';

describe('the sign-in link of dev', () => {
  it('a token returns the key once', () => {
    const link = createSignInLink('dkr_key', { clock: () => 0, ttlMs: 1000 });
    expect(link.redeem('guessed')).toBeNull();
    expect(link.redeem(link.token)).toBe('dkr_key');
    expect(link.redeem(link.token)).toBeNull();
  });

  it('a token is invalid after its time, and every link has another one', () => {
    let now = 0;
    const options = { clock: () => now, ttlMs: 1000 };
    const link = createSignInLink('dkr_key', options);
    expect(createSignInLink('dkr_key', options).token).not.toBe(link.token);
    now = 1001;
    expect(link.redeem(link.token)).toBeNull();
  });
});

describe('the origins of image links in the policy of the console', () => {
  const values = { S3_BUCKET: 'images', S3_REGION: 'eu-central-1', S3_FORCE_PATH_STYLE: false };
  const originsOf = (overrides: Record<string, unknown>) =>
    storageNamed('s3').linkOrigins({ ...values, ...overrides } as never);

  it('the public endpoint of S3 is named, with the bucket in the host name or in the path', () => {
    expect(originsOf({})).toContain('https://images.s3.eu-central-1.amazonaws.com');
    expect(originsOf({ S3_PUBLIC_ENDPOINT: 'https://cdn.example/x', S3_FORCE_PATH_STYLE: true })).toEqual([
      'https://cdn.example',
    ]);
  });

  it('the file storage needs no other origin', () => {
    expect(storageNamed('filesystem').linkOrigins({} as never)).toEqual([]);
  });
});
