import { describe, expect, it } from 'vitest';
import { keepAliveFormFor } from '../../../../../src/inbound/http/openai-v1/keep-alive.ts';

const official = { 'user-agent': 'OpenAI/JS 7.0.0' };

/** Returns the form of a request under the default setting. */
const formOf = (headers: Record<string, string>, httpVersion = '1.1') =>
  keepAliveFormFor({ headers, raw: { httpVersion } }, 'auto');

describe('the form that keeps a waiting connection open', () => {
  it.each(['OpenAI/JS 6.49.0', 'OpenAI/JS 7.0.0', 'ai/6.0.1 ai-sdk/provider-utils/4.0.0'])(
    'is an interim response for the direct client %s, which skips it',
    (agent) => {
      expect(formOf({ 'user-agent': agent })).toBe('interim');
    },
  );

  it.each(['OpenAI/Python 3.3.1', 'node', 'curl/8.5.0', 'axios/1.7.9', 'Python/3.12 aiohttp/3.11'])(
    'is white space for %s, which may take an interim response as the final one',
    (agent) => {
      expect(formOf({ 'user-agent': agent })).toBe('white-space');
    },
  );

  it('is white space for a client without a name', () => {
    expect(formOf({})).toBe('white-space');
  });

  it.each([
    'via',
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
    'x-forwarded-port',
    'x-real-ip',
    'cf-ray',
    'x-amzn-trace-id',
  ])('is white space if the header %s names a proxy', (name) => {
    expect(formOf({ ...official, [name]: 'a' })).toBe('white-space');
  });

  it('is white space for HTTP/1.0, which has no interim responses', () => {
    expect(formOf(official, '1.0')).toBe('white-space');
  });

  it.each([
    ['always', 'interim'],
    ['never', 'white-space'],
  ] as const)('is the same for every request if the setting is %s', (setting, form) => {
    for (const headers of [official, { 'user-agent': 'curl/8.5.0', via: '1.1 proxy' }]) {
      expect(keepAliveFormFor({ headers, raw: { httpVersion: '1.1' } }, setting)).toBe(form);
    }
  });
});
