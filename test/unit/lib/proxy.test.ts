import { describe, expect, it } from 'vitest';
import { proxyFor } from '../../../src/lib/proxy.ts';

const settings = { httpsProxy: 'http://secure:3128', httpProxy: 'http://plain:3128', noProxy: undefined };

describe('the proxy of an address', () => {
  it('selects HTTPS_PROXY for https and HTTP_PROXY for http', () => {
    expect(proxyFor('https://api.openai.com/v1', settings)).toBe('http://secure:3128');
    expect(proxyFor('http://s3.internal:9000', settings)).toBe('http://plain:3128');
    expect(proxyFor('http://s3.internal:9000', { ...settings, httpProxy: undefined })).toBeUndefined();
  });

  it.each(['http://localhost:1', 'http://127.0.0.1:9000/v1', 'http://127.1.2.3', 'http://[::1]:80'])(
    'bypasses the proxy for the loopback address %s',
    (address) => expect(proxyFor(address, settings)).toBeUndefined(),
  );

  it.each([
    ['*', true],
    ['openai.com', true],
    ['.openai.com', true],
    ['*.openai.com', true],
    ['example.com, API.OPENAI.COM', true],
    ['api.openai.com:443', true],
    ['api.openai.com:80', false],
    ['notopenai.com', false],
    ['penai.com', false],
    ['', false],
  ])('bypasses the proxy for hosts in NO_PROXY: %s', (noProxy, isDirect) => {
    const proxy = proxyFor('https://api.openai.com/v1', { ...settings, noProxy });
    expect(proxy === undefined).toBe(isDirect);
  });

  it.each([
    ['http://10.1.2.3:9000', '10.0.0.0/8', true],
    ['http://10.1.2.3:9000', 'example.com,10.1.2.3/32', true],
    ['http://11.1.2.3:9000', '10.0.0.0/8', false],
    ['http://10.1.2.3:9000', '10.0.0.0/33', false],
    ['http://10.1.2.3:9000', '10.0.0.0/', false],
    ['http://[fd00::5]:9000', 'fd00::/8', true],
    ['http://[fd00::5]:9000', '10.0.0.0/8', false],
    ['http://s3.internal:9000', '0.0.0.0/0', false],
  ])('bypasses the proxy for %s in the networks of NO_PROXY: %s', (address, noProxy, isDirect) => {
    expect(proxyFor(address, { ...settings, noProxy }) === undefined).toBe(isDirect);
  });
});
