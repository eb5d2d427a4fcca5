import { afterEach, describe, expect, it } from 'vitest';
import type { S3StorageConfig } from '../../../../../src/outbound/storage/s3/s3-client.ts';
import { createS3Storage } from '../../../../../src/outbound/storage/s3/s3-storage.ts';
import { readClaim, type SignedRequest, signatureOf } from '../../../../support/sigv4.ts';

const nowMs = Date.UTC(2026, 4, 24, 10, 20, 30, 700);
const key = 'acme/img_1/0.png';
const hourLater = {
  signedAtMs: nowMs,
  expiresAtMs: nowMs + 3_600_000,
  contentType: 'image/png',
  fileName: 'img_1-0.png',
};
const config: S3StorageConfig = {
  bucket: 'images',
  region: 'eu-west-1',
  accessKeyId: 'AKIDTEST',
  secretAccessKey: 'a/secret+key',
};

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
});

/** Endpoint on which nothing listens, so a link that needs the network would fail. */
async function linkOf(change: Partial<S3StorageConfig> = {}, options = hourLater): Promise<URL> {
  const storage = createS3Storage({ ...config, ...change });
  opened.push(storage);
  return new URL(await storage.link(key, options));
}

function requestOf(url: URL): SignedRequest {
  return { method: 'GET', target: url.pathname + url.search, headers: { host: url.host } };
}

function claimOf(url: URL) {
  const claim = readClaim(requestOf(url));
  if (claim === null) throw new Error(`not signed: ${url}`);
  return claim;
}

function rightSignature(url: URL, secret = 'a/secret+key'): string {
  return signatureOf(requestOf(url), claimOf(url), secret);
}

describe('reference implementation of signatures', () => {
  it('reproduces the signature of the published example of a link', () => {
    const url = new URL(
      'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256' +
        '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
        '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
        '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    );
    expect(rightSignature(url, 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')).toBe(claimOf(url).signature);
  });

  it('reproduces the signature of the published example of a request', () => {
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    const signature = 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41';
    const request: SignedRequest = {
      method: 'GET',
      target: '/test.txt',
      headers: {
        host: 'examplebucket.s3.amazonaws.com',
        range: 'bytes=0-9',
        'x-amz-content-sha256': empty,
        'x-amz-date': '20130524T000000Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,' +
          `SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=${signature}`,
      },
    };
    const claim = readClaim(request);
    expect(claim && signatureOf(request, claim, 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')).toBe(signature);
  });
});

describe('links of the S3 storage', () => {
  it('signs a link by the published rules', async () => {
    const url = await linkOf();
    const claim = claimOf(url);
    expect(claim.signature).toBe(rightSignature(url));
    expect(claim).toMatchObject({
      accessKeyId: 'AKIDTEST',
      scope: '20260524/eu-west-1/s3/aws4_request',
      signedAt: '20260524T102030Z',
      signedHeaders: ['host'],
      expiresSeconds: 3600,
    });
    expect(url.origin + url.pathname).toBe(`https://images.s3.eu-west-1.amazonaws.com/${key}`);
  });

  it('includes content type and disposition in the signature of a link', async () => {
    const url = await linkOf({}, { ...hourLater, fileName: 'one "ö".png' });
    expect(url.searchParams.get('response-content-type')).toBe('image/png');
    expect(url.searchParams.get('response-content-disposition')).toBe(
      'inline; filename="one ___.png"; filename*=UTF-8\'\'one%20_%C3%B6_.png',
    );
    expect(claimOf(url).signature).toBe(rightSignature(url));
  });

  it.each([
    ['key', (url: URL) => Object.assign(url, { pathname: '/acme/img_2/0.png' })],
    ['host', (url: URL) => Object.assign(url, { host: 'other.s3.eu-west-1.amazonaws.com' })],
    ['expiry', (url: URL) => url.searchParams.set('X-Amz-Expires', '3601')],
    ['content type', (url: URL) => url.searchParams.set('response-content-type', 'text/html')],
    ['added parameter', (url: URL) => url.searchParams.set('versionId', '1')],
  ])('needs another signature for an altered %s', async (_what, alter) => {
    const url = await linkOf();
    const signature = rightSignature(url);
    alter(url);
    expect(rightSignature(url)).not.toBe(signature);
  });

  it('does not reveal the secret key in a link', async () => {
    expect(decodeURIComponent((await linkOf()).href)).not.toContain('a/secret+key');
  });

  it.each([
    ['seconds are rounded down', nowMs + 10_999, 11],
    ['at least a second', nowMs - 5_000, 1],
    ['at most seven days', nowMs + 30 * 86_400_000, 604_800],
  ])(
    'a link expires at the requested time, within the limits of S3: %s',
    async (_limit, expiresAtMs, seconds) => {
      expect(claimOf(await linkOf({}, { ...hourLater, expiresAtMs })).expiresSeconds).toBe(seconds);
    },
  );

  it('uses a custom endpoint with the bucket in the path', async () => {
    const url = await linkOf({ endpoint: 'http://127.0.0.1:1' });
    expect(url.origin + url.pathname).toBe(`http://127.0.0.1:1/images/${key}`);
    expect(claimOf(url).signature).toBe(rightSignature(url));
  });

  it('supports the bucket in the host name of a custom endpoint', async () => {
    const url = await linkOf({ endpoint: 'https://s3.darkroom.test', forcePathStyle: false });
    expect(url.origin + url.pathname).toBe(`https://images.s3.darkroom.test/${key}`);
  });

  it('signs links for the public address that callers reach', async () => {
    const url = await linkOf({ endpoint: 'http://127.0.0.1:1', publicEndpoint: 'https://img.darkroom.test' });
    expect(url.origin + url.pathname).toBe(`https://img.darkroom.test/images/${key}`);
    expect(claimOf(url).signature).toBe(rightSignature(url));
  });

  it('refuses one access key without the other at creation', () => {
    const { secretAccessKey: _, ...half } = config;
    expect(() => createS3Storage(half)).toThrow('S3_SECRET_ACCESS_KEY');
  });
});
