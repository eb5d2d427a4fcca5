import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createHttpApp, type HttpDeps } from '../../../src/inbound/http/app.ts';
import { minimalEnvironment, serviceConfig, serviceFaults } from '../../support/configuration.ts';

describe('roles', () => {
  it.each([
    ['all', ['api', 'worker', 'webhooks']],
    ['api', ['api']],
    ['worker, webhooks', ['worker', 'webhooks']],
    ['api,all', ['api', 'worker', 'webhooks']],
    ['api,api', ['api']],
  ])('a process performs the roles that ROLES lists: %s', (text, roles) => {
    expect([...serviceConfig({ ROLES: text }).roles]).toEqual(roles);
  });

  it('refuses a list without a role', () => {
    expect(serviceFaults({ ...minimalEnvironment, ROLES: ',' })).toHaveLength(1);
  });
});

describe('values', () => {
  it('accepts bootstrap keys that contain colons', () => {
    expect(serviceConfig({ API_KEYS: 'acme:key:with:colons, beta:second-key' }).API_KEYS).toEqual([
      { tenant: 'acme', key: 'key:with:colons' },
      { tenant: 'beta', key: 'second-key' },
    ]);
  });

  it('refuses the same bootstrap key for two tenants without showing the key', () => {
    const faults = serviceFaults({
      ...minimalEnvironment,
      API_KEYS: 'acme:s3cr3t-key,beta:other-key,gamma:s3cr3t-key',
    });
    expect(faults).toEqual([expect.stringMatching(/^API_KEYS: acme and gamma have the same key\. Set/)]);
    expect(faults.join()).not.toContain('s3cr3t');
    expect(serviceConfig({ API_KEYS: 'acme:same-key1,acme:same-key1' }).API_KEYS).toHaveLength(2);
  });

  it('reads the lower-case names of proxies if the upper-case ones are absent', () => {
    const proxies = { https_proxy: 'http://proxy.internal:3128', no_proxy: '.internal' };
    expect(serviceConfig(proxies)).toMatchObject({
      HTTPS_PROXY: proxies.https_proxy,
      HTTP_PROXY: undefined,
      NO_PROXY: '.internal',
    });
    const both = { ...proxies, HTTPS_PROXY: 'http://other.internal:3128' };
    expect(serviceConfig(both).HTTPS_PROXY).toBe(both.HTTPS_PROXY);
  });

  it.each([23, 65])('refuses a webhook secret of %i bytes', (sizeBytes) => {
    const secret = (size: number) => `whsec_${Buffer.alloc(size, 9).toString('base64')}`;
    expect(serviceFaults({ ...minimalEnvironment, WEBHOOK_SECRET: secret(sizeBytes) })).toEqual([
      expect.stringMatching(/^WEBHOOK_SECRET: .*24 to 64 bytes/),
    ]);
    for (const size of [24, 25, 64])
      expect(serviceConfig({ WEBHOOK_SECRET: secret(size) }).WEBHOOK_SECRET).toBe(secret(size));
  });

  it('passes every accepted entry of TRUST_PROXY to a server that accepts it', async () => {
    const given = '10.0.0.7,10.0.0.0/8,::1,fd00::/8,::ffff:10.0.0.1,loopback,linklocal,uniquelocal';
    const { TRUST_PROXY: trustProxy } = serviceConfig({ TRUST_PROXY: given });
    expect(trustProxy).toEqual(given.split(','));
    const app = await createHttpApp({ jobs: {}, metrics: {} } as HttpDeps, {
      logger: pino({ level: 'silent' }),
      version: '0',
      publicUrl: undefined,
      trustProxy,
      corsOrigins: undefined,
      servesCallers: false,
    });
    await app.close();
  });

  it.each(['banana', '1', '10.0.0.0/33', '0.0.0.0/0', '::/0', 'example.com'])(
    'refuses the trusted proxy %s',
    (entry) => {
      const [fault, ...more] = serviceFaults({ ...minimalEnvironment, TRUST_PROXY: `10.0.0.1,${entry}` });
      expect(fault).toMatch(new RegExp(`^TRUST_PROXY: ${entry} must be an address`));
      expect(more).toEqual([]);
    },
  );

  it('removes slashes from the end of the public URL', () => {
    expect(serviceConfig({ PUBLIC_URL: 'https://a.example/base//' }).PUBLIC_URL).toBe(
      'https://a.example/base',
    );
  });

  it.each([
    ['true', true],
    ['1', true],
    ['yes', true],
    ['false', false],
    ['0', false],
    ['no', false],
  ])('parses the boolean value %s', (text, value) => {
    expect(serviceConfig({ WEBHOOK_ALLOW_PRIVATE: text }).WEBHOOK_ALLOW_PRIVATE).toBe(value);
  });
});

const unusableKey = 'must be a key without spaces, quotes and characters outside ASCII';

describe('form of values', () => {
  it.each(['\ufeff', '\u200b', '\u00a0', '\u2060 \r\n'])('trims %j around a value', (blank) => {
    expect(serviceConfig({ OPENAI_API_KEY: `${blank}sk-key${blank}`, DEFAULT_MODEL: blank })).toMatchObject({
      OPENAI_API_KEY: 'sk-key',
      DEFAULT_MODEL: 'gpt-image-2.6-flare',
    });
  });

  it('trims white space around a value, because mounted secrets end with a line break', () => {
    const config = serviceConfig({
      OPENAI_API_KEY: ' sk-key\n',
      S3_ACCESS_KEY_ID: 'id\r\n',
      S3_SECRET_ACCESS_KEY: 'key\t',
    });
    expect(config).toMatchObject({
      OPENAI_API_KEY: 'sk-key',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'key',
    });
    expect(serviceConfig({ DEFAULT_MODEL: ' \n' }).DEFAULT_MODEL).toBe('gpt-image-2.6-flare');
  });

  it.each([
    ['OPENAI_API_KEY', '"sk-key"', 'must not be in quotes'],
    ['DEFAULT_MODEL', "'gpt-image-2'", 'must not be in quotes'],
    ['OPENAI_API_KEY', 'sk-one\nsk-two', 'must not contain a line break'],
    ['DEFAULT_MODEL', '"gpt-image-2', 'must not be in quotes'],
    ['S3_BUCKET', '\u201cimages\u201d', 'must not be in quotes'],
    ['OPENAI_API_KEY', 'sk-one\u2028sk-two', 'must not contain a line break'],
    ['OPENAI_API_KEY', 's\0k\0-\0', 'must be UTF-8 text'],
    ['OPENAI_API_KEY', '\ufffdsk-key', 'must be UTF-8 text'],
    ['DATA_DIR', './da\u0007ta', 'must not contain control characters'],
    ['OPENAI_API_KEY', 'sk-key\\n', 'must not end with a written line break'],
    ['OPENAI_API_KEY', 'sk-"key', unusableKey],
    ['OPENAI_API_KEY', 'sk-\u2013key', unusableKey],
    ['S3_SECRET_ACCESS_KEY', 'k\u00a0y', unusableKey],
    ['ADMIN_KEY', 'a key', unusableKey],
    ['API_KEYS', 'acme:k"ey', 'must be tenant:key'],
    ['OPENAI_BASE_URL', 'https://llm.example/v1\\n', 'must be an address without a backslash'],
    ['OPENAI_BASE_URL', 'https://llm.example/v1/images/generations', 'must end before the path of a call'],
    [
      'OPENAI_BASE_URL',
      'https://llm.example/v1/responses/?api-version=1',
      'must end before the path of a call',
    ],
    ['PUBLIC_URL', 'https://images.example?x=1', 'must be an address without a query'],
    ['PUBLIC_URL', 'https://svc:secret@images.example', 'must be an address without a user and a password'],
    ['PUBLIC_URL', 'https://svc@images.example/base', 'must be an address without a user and a password'],
    ['S3_ENDPOINT', 'http://svc:secret@s3.example', 'must be an address without a user and a password'],
    [
      'S3_PUBLIC_ENDPOINT',
      'http://svc:secret@s3.example',
      'must be an address without a user and a password',
    ],
  ])('refuses an invalid value of %s at startup: %j', (name, value, fault) => {
    const [found, ...more] = serviceFaults({ ...minimalEnvironment, [name]: value });
    expect([found, ...more]).toHaveLength(1);
    expect(found).toContain(`${name}: ${fault}`);
  });
});
