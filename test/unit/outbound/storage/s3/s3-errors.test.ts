import { describe, expect, it } from 'vitest';
import { unusableBucket } from '../../../../../src/outbound/storage/s3/s3-check.ts';
import { s3Error } from '../../../../../src/outbound/storage/s3/s3-errors.ts';

/** Returns an error as the SDK throws it for a response. */
function answered(status: number, Code?: string, more: object = {}) {
  const fields = { name: Code ?? 'Unknown', $metadata: { httpStatusCode: status }, ...more };
  return Object.assign(new Error('text of the server'), fields, Code === undefined ? {} : { Code });
}

function unanswered(code: string) {
  return Object.assign(new Error(`connect ${code}`), { code, $metadata: { attempts: 2 } });
}

describe('s3Error', () => {
  it.each([
    ['no connection', unanswered('ECONNREFUSED')],
    ['a cut connection', unanswered('ECONNRESET')],
    ['a deadline', Object.assign(new Error('late'), { name: 'AbortError' })],
    ['an inner error of the server', answered(500, 'InternalError')],
    ['a gateway without a body', answered(502)],
    ['a request to slow down', answered(503, 'SlowDown')],
    ['a slow upload', answered(400, 'RequestTimeout')],
    ['too many requests', answered(429)],
    ['a bucket that still moves', answered(307, 'TemporaryRedirect')],
    [
      'a credential source that does not answer',
      Object.assign(new Error('none'), { name: 'CredentialsProviderError' }),
    ],
    ['something unknown', 'a text'],
  ])('treats the S3 error %s as a retryable outage', (_what, error) => {
    expect(s3Error(error)).toMatchObject({ code: 'storage_unavailable', cause: error, retryAfterSeconds: 5 });
  });

  it.each([
    ['no permission', answered(403, 'AccessDenied')],
    ['a wrong secret', answered(403, 'SignatureDoesNotMatch')],
    ['no bucket', answered(404, 'NoSuchBucket')],
    ['another region', answered(301, 'PermanentRedirect')],
    ['an image that is too large', answered(400, 'EntityTooLarge')],
  ])('treats the S3 error %s as a refusal that retries cannot resolve', (_what, error) => {
    expect(s3Error(error)).toMatchObject({ code: 'storage_failed', cause: error });
  });

  it('shows the text of the server only in the log', () => {
    const error = answered(403, 'x'.repeat(65), { Code: 'AKID <b>not a word</b>' });
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
    [answered(404), 'There is no bucket "images" at http://s3.darkroom.test:9000. Create it'],
    [
      answered(301, undefined, { $response: { headers: { 'x-amz-bucket-region': 'eu-west-1' } } }),
      'Set S3_REGION=eu-west-1',
    ],
    [answered(400, 'AuthorizationHeaderMalformed', { Region: 'eu-west-1' }), 'Set S3_REGION=eu-west-1'],
    [answered(301), 'Correct S3_REGION or S3_ENDPOINT'],
    [answered(403, 'InvalidAccessKeyId'), 'correct S3_ACCESS_KEY_ID'],
    [answered(403, 'SignatureDoesNotMatch'), 'correct S3_SECRET_ACCESS_KEY'],
    [answered(403, 'AccessDenied'), 'grant s3:ListBucket'],
    [answered(403), 'Check the credentials'],
    [answered(403, 'RequestTimeTooSkewed'), 'The clock of this machine is wrong'],
    [answered(503), 'fails (http_503)'],
    [unanswered('ECONNREFUSED'), 'Nothing listens at http://s3.darkroom.test:9000'],
    [unanswered('ENOTFOUND'), 'cannot be resolved'],
    [unanswered('EPROTO'), 'Check S3_ENDPOINT, TLS'],
    [Object.assign(new Error('none'), { name: 'CredentialsProviderError' }), 'Set S3_ACCESS_KEY_ID'],
  ])('reports the cause and the remedy of an unusable bucket (%#)', (error, words) => {
    const found = unusableBucket(error, config);
    expect(found.code).toBe('storage_unavailable');
    expect(found.message).toContain(words);
    expect(found.message).not.toContain('hidden');
  });
});
