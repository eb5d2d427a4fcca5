import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import { createDestinationGuard } from '../../../../src/outbound/webhooks/destination-guard.ts';
import {
  loopbackUrls,
  malformedUrls,
  reservedAddresses,
  urlOfAddress,
} from '../../../support/hostile-destinations.ts';

const port = 8080;
const strict = createDestinationGuard({ allowPrivate: false, requireHttps: false });
const production = createDestinationGuard({ allowPrivate: false, requireHttps: true });
const development = createDestinationGuard({ allowPrivate: true, requireHttps: true });

function refusal(check: () => unknown): AppError {
  try {
    check();
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error('nothing was refused');
}

describe('checkUrl', () => {
  const hostile = [
    ...loopbackUrls(port),
    ...reservedAddresses.map((address) => urlOfAddress(address, port)),
    ...malformedUrls,
  ];

  it('covers at least 80 hostile destinations', () => {
    expect(new Set(hostile).size).toBeGreaterThanOrEqual(80);
  });

  it.each(hostile)('refuses the hostile destination %j', (url) => {
    const error = refusal(() => strict.checkUrl(url));
    expect(error.code).toBe('destination_forbidden');
    expect(error.issues).toEqual([{ pointer: '/webhook/url', detail: error.message }]);
    expect(error.message).toMatch(/\.$/);
  });

  it.each(['kubernetes.default.svc', 'api.shop.svc.', 'api.shop.svc.cluster.local'])(
    'refuses the name of a service in Kubernetes: %s',
    (host) => {
      expect(refusal(() => strict.checkUrl(`https://${host}/`)).message).toContain('private network');
    },
  );

  it.each([
    'https://receiver.example/hook?a=1&b=%20',
    'http://receiver.example/',
    'https://receiver.example:443/',
    'https://receiver.example:8443/',
    'https://receiver.example:3000/',
    'https://b\u00fccher.example/',
    'https://xn--bcher-kva.example/',
    'https://8.8.8.8/',
    'https://[2606:4700:4700::1111]/',
    'https://receiver.example./',
    'https://10.receiver.example/',
    'https://localhost.receiver.example/',
    'https://internal.receiver.example/',
  ])('accepts a destination whose host is a name or a public address: %s', (url) => {
    expect(strict.checkUrl(url).href).toBe(new URL(url).href);
  });

  it('refuses plain http if https is required, and says so', () => {
    expect(refusal(() => production.checkUrl('http://receiver.example/')).message).toContain('https://');
    expect(() => production.checkUrl('https://receiver.example/')).not.toThrow();
  });

  it('accepts private destinations, plain http and any port in development', () => {
    expect(() => development.checkUrl('http://127.0.0.1:6379/')).not.toThrow();
    for (const url of [
      ...loopbackUrls(port),
      ...reservedAddresses.map((address) => urlOfAddress(address, port)),
    ]) {
      expect(() => development.checkUrl(url)).not.toThrow();
    }
    expect(() => development.checkUrl('http://redis:8080/')).not.toThrow();
  });

  it('refuses invalid URLs in development, too', () => {
    for (const url of ['ftp://localhost/', 'http://user:pass@localhost/', 'http://localhost/#a']) {
      expect(refusal(() => development.checkUrl(url)).code).toBe('destination_forbidden');
    }
  });

  it('never repeats a password from the URL', () => {
    expect(refusal(() => strict.checkUrl('https://user:hunter2@receiver.example/')).message).not.toContain(
      'hunter2',
    );
  });
});

describe('allowsAddress', () => {
  it('accepts public addresses only, and any address in development', () => {
    expect(strict.allowsAddress('8.8.8.8')).toBe(true);
    expect(strict.allowsAddress('127.0.0.1')).toBe(false);
    expect(development.allowsAddress('127.0.0.1')).toBe(true);
  });
});

describe('networks that an operator allows', () => {
  const guard = createDestinationGuard({
    allowPrivate: false,
    requireHttps: true,
    allowedNetworks: ['10.20.0.0/16', 'fd00:20::/32'],
  });

  it('reaches allowed networks by address and by local names, with https and on ordinary ports only', () => {
    for (const url of [
      'https://10.20.3.4/hook',
      'https://[fd00:20::1]/',
      'https://hooks.internal/',
      'https://hooks/',
    ]) {
      expect(guard.checkUrl(url).href, url).toBe(url);
    }
    for (const url of ['http://10.20.3.4/', 'https://10.20.3.4:6379/', 'https://u:p@10.20.3.4/']) {
      expect(() => guard.checkUrl(url), url).toThrow();
    }
  });

  it('allows no address outside the listed networks, in any spelling', () => {
    const closed = [
      '10.21.0.1',
      '127.0.0.1',
      '169.254.169.254',
      '::1',
      'fd00:21::1',
      '::ffff:10.20.3.4',
      '::a14:304',
    ];
    for (const ip of [...closed, 'hooks.internal', '10.20.3.4%eth0'])
      expect(guard.allowsAddress(ip), ip).toBe(false);
    for (const ip of ['10.20.3.4', 'fd00:20::1', '8.8.8.8']) expect(guard.allowsAddress(ip), ip).toBe(true);
    expect(() => guard.checkUrl('https://10.21.0.1/')).toThrow();
  });
});
