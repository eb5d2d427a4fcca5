import { describe, expect, it } from 'vitest';
import { unusableBucket } from '../../../../../src/outbound/storage/s3/s3-check.ts';
import { s3Error } from '../../../../../src/outbound/storage/s3/s3-errors.ts';

/** Returns an error as the SDK throws it for a response. */
function responded(status: number, Code?: string, more: object = {}) {
  const fields = { name: Code ?? 'Unknown', $metadata: { httpStatusCode: status }, ...more };
  return Object.assign(new Error('text of the server'), fields, Code === undefined ? {} : { Code });
}

function unreachable(code: string) {
  return Object.assign(new Error(`connect ${code}`), { code, $metadata: { attempts: 2 } });
}

describe('s3Error', () => {
  it.each([
    ['no connection', unreachable('ECONNREFUSED')],
    ['a cut connection', unreachable('ECONNRESET')],
    ['a deadline', Object.assign(new Error('late'), { name: 'AbortError' })],
    ['an inner error of the server', responded(500, 'InternalError')],
    ['a gateway without a body', responded(502)],
    ['a request to slow down', responded(503, 'SlowDown')],
    ['a slow upload', responded(400, 'RequestTimeout')],
    ['too many requests', responded(429)],
    ['a bucket that is still moving', responded(307, 'TemporaryRedirect')],
    [
      'a credential source that does not respond',
      Object.assign(new Error('none'), { name: 'CredentialsProviderError' }),
    ],
    ['something unknown', 'a text'],
  ])('treats the S3 error %s as a retryable outage', (_what, error) => {
    expect(s3Error(error)).toMatchObject({ code: 'storage_unavailable', cause: error, retryAfterSeconds: 5 });
  });

  it.each([
    ['no permission', responded(403, 'AccessDenied')],
    ['a wrong secret', responded(403, 'SignatureDoesNotMatch')],
    ['no bucket', responded(404, 'NoSuchBucket')],
    ['another region', responded(301, 'PermanentRedirect')],
    ['an image that is too large', responded(400, 'EntityTooLarge')],
  ])('treats the S3 error %s as a refusal that retries cannot resolve', (_what, error) => {
    expect(s3Error(error)).toMatchObject({ code: 'storage_failed', cause: error });
  });

  it('shows the text of the server only in the log', () => {
    const error = responded(403, 'x'.repeat(65), { Code: 'AKID <b>not a word</b>' });
    expect(s3Error(error).message).not.toMatch(/AKID|text of the server/);
  });
});

describe('unusableBucket', () => {
  const config = {
    bucket: 'images',
    region: 'us-east-1',
    endpoint: 'http://user:hidden@s3.darkroom.test:9000/base',
    accessKeyId: 'AKIDTEST',
    secretAccessKey: 'hidden-too',
  };

  it.each([
    [responded(404), 'There is no bucket "images" at http://s3.darkroom.test:9000. Create it'],
    [
      responded(301, undefined, { $response: { headers: { 'x-amz-bucket-region': 'eu-west-1' } } }),
      'Set S3_REGION=eu-west-1',
    ],
    [responded(400, 'AuthorizationHeaderMalformed', { Region: 'eu-west-1' }), 'Set S3_REGION=eu-west-1'],
    [responded(301), 'Correct S3_REGION or S3_ENDPOINT'],
    [responded(403, 'InvalidAccessKeyId'), 'correct S3_ACCESS_KEY_ID'],
    [responded(403, 'SignatureDoesNotMatch'), 'correct S3_SECRET_ACCESS_KEY'],
    [responded(403, 'AccessDenied'), 'grant s3:ListBucket'],
    [responded(403), 'Check the credentials'],
    [responded(403, 'RequestTimeTooSkewed'), 'The clock of this machine is wrong'],
    [responded(503), 'fails (http_503)'],
    [unreachable('ECONNREFUSED'), 'Nothing listens at http://s3.darkroom.test:9000'],
    [unreachable('ENOTFOUND'), 'cannot be resolved'],
    [unreachable('EPROTO'), 'Check S3_ENDPOINT, TLS'],
    [Object.assign(new Error('none'), { name: 'CredentialsProviderError' }), 'Set S3_ACCESS_KEY_ID'],
  ])('reports the cause and the remedy of an unusable bucket (%#)', (error, words) => {
    const found = unusableBucket(error, config);
    expect(found.code).toBe('storage_unavailable');
    expect(found.message).toContain(words);
    expect(found.message).not.toContain('hidden');
  });
});
