import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import {
  type Config,
  ConfigError,
  describeConfig,
  faultsOf,
  loadConfig,
} from '../../../src/config/config.ts';
import { type VariableName, variables } from '../../../src/config/variables.ts';
import { createHttpApp, type HttpDeps } from '../../../src/inbound/http/app.ts';

const secretsKey = Buffer.alloc(32, 7).toString('base64');
const enough = { REDIS_URL: 'redis://:pa55word@redis:6379', SECRETS_KEY: secretsKey, PROVIDER: 'studio' };

const refusals = (env: NodeJS.ProcessEnv) => faultsOf(env, 'serve');
const serve = (env: NodeJS.ProcessEnv = {}): Config => loadConfig({ ...enough, ...env }, 'serve');

/** Invalid values of all variables except those of free text. */
const bad: Partial<Record<VariableName, string>> = {
  PORT: '65536',
  ROLES: 'api,cook',
  PUBLIC_URL: 'ftp://x',
  LOG_LEVEL: 'loud',
  TRUST_PROXY: '10.0.0.1, banana',
  SHUTDOWN_GRACE_S: '-1',
  REDIS_URL: 'localhost',
  REDIS_CLUSTER: 'maybe',
  REDIS_KEY_PREFIX: 'Bad Prefix',
  STORAGE: 'tape',
  S3_ENDPOINT: 'minio:9000',
  S3_PUBLIC_ENDPOINT: 'nowhere',
  S3_FORCE_PATH_STYLE: '2',
  PROVIDER: 'other',
  OPENAI_BASE_URL: 'file:///etc/passwd',
  CATALOGUE_FILE: '/does/not/exist.json',
  ALLOW_UNKNOWN_MODELS: 'perhaps',
  ON_UNCERTAIN: 'panic',
  MAX_PAID_ATTEMPTS: '0',
  PRESETS_FILE: '/does/not/exist.json',
  API_KEYS: 'acme',
  ADMIN_KEY: 'two words',
  SECRETS_KEY: 'dG9vIHNob3J0',
  WORKER_CONCURRENCY: '0',
  WEBHOOK_CONCURRENCY: '1e3',
  QUEUE_TTL_S: '1.5',
  RUN_TIMEOUT_S: '7201',
  WEBHOOK_SECRET: 'whsec_short',
  WEBHOOK_ALLOW_PRIVATE: 'on',
  MAX_OPEN_JOBS: 'many',
  MEDIA_TTL_S: '59',
  RECORD_TTL_S: '5 9',
  LINK_TTL_S: '604801',
  DARKROOM_URL: 'example.com',
  MAX_WEBHOOK_ENDPOINTS: '1001',
};

describe('configuration faults', () => {
  it('reports all invalid variables together, each exactly once', () => {
    const faults = refusals({ ...enough, ...bad });
    expect(faults.map((fault) => fault.slice(0, fault.indexOf(':'))).sort()).toEqual(Object.keys(bad).sort());
    for (const fault of faults) expect(fault).toMatch(/^[A-Z0-9_]+: \S.{6,}$/);
  });

  it('reports invalid values together with missing and contradictory ones', () => {
    const faults = refusals({ REDIS_URL: 'localhost', PORT: 'eighty', S3_ACCESS_KEY_ID: 'id' });
    expect(faults.map((fault) => fault.slice(0, fault.indexOf(':')))).toEqual([
      'PORT',
      'REDIS_URL',
      'S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY',
      'SECRETS_KEY',
      'OPENAI_API_KEY',
    ]);
  });

  it('states the valid values of each invalid variable', () => {
    const few = {
      ROLES: 'api,painter',
      MAX_PAID_ATTEMPTS: '99',
      WEBHOOK_SCHEDULE_S: 'a,b',
      ADMIN_KEY: 'two words',
    };
    expect(refusals({ ...enough, ...few }).toSorted()).toEqual([
      'ADMIN_KEY: must be a key without spaces and quotes',
      'MAX_PAID_ATTEMPTS: must be a whole number from 1 to 10',
      'ROLES: must be one of api, worker, webhooks, all',
      'WEBHOOK_SCHEDULE_S: must be a whole number from 0 to 604800',
    ]);
  });

  it.each(['api', 'webhooks', 'api,webhooks'])('requires no provider key for the roles %s', (ROLES) => {
    const { OPENAI_API_KEY: _key, PROVIDER: _provider, ...rest } = enough as NodeJS.ProcessEnv;
    expect(refusals({ ...rest, ROLES })).toEqual([]);
    expect(refusals({ ...rest, ROLES: `${ROLES},worker` })).toEqual([
      expect.stringMatching(/^OPENAI_API_KEY: needed/),
    ]);
  });

  it('lists one configuration fault per line', () => {
    const faults = ['PORT: must be a whole number', 'ROLES: is wrong'];
    expect(new ConfigError(faults).message).toBe(
      'The configuration is not usable:\n  PORT: must be a whole number\n  ROLES: is wrong',
    );
  });

  it('never repeats a secret in a configuration fault', () => {
    const secrets = {
      REDIS_URL: 'redis://:s3cr3t@cache:port',
      API_KEYS: 'acme:s3cr3t-one,nonsense-s3cr3t-two',
      ADMIN_KEY: 's3cr3t and more',
      SECRETS_KEY: 's3cr3t',
      WEBHOOK_SECRET: 's3cr3t',
    };
    const faults = refusals({ ...enough, ...secrets });
    expect(faults).toHaveLength(5);
    expect(faults.join('\n')).not.toContain('s3cr3t');
  });

  it('treats an empty variable as unset', () => {
    const empty = Object.fromEntries(Object.keys(variables).map((name) => [name, '']));
    const config = loadConfig({ ...empty, ...enough }, 'serve');
    expect(config.PORT).toBe(8080);
    expect(config.PUBLIC_URL).toBeUndefined();
    expect(config.sources).toMatchObject({ PORT: 'default', PUBLIC_URL: 'unset', REDIS_URL: 'environment' });
  });

  it('applies the documented defaults to unset variables', () => {
    expect(serve()).toMatchObject({
      HOST: '0.0.0.0',
      LOG_LEVEL: 'info',
      REDIS_KEY_PREFIX: 'darkroom',
      WEBHOOK_ALLOW_PRIVATE: false,
      MAX_PAID_ATTEMPTS: 2,
    });
    expect(loadConfig({}, 'dev')).toMatchObject({ HOST: '127.0.0.1', WEBHOOK_ALLOW_PRIVATE: true });
  });

  it('accepts every default as a value of its own variable', () => {
    for (const [name, variable] of Object.entries(variables)) {
      for (const key of ['fallback', 'devFallback'] as const) {
        if (key in variable) {
          const text = (variable as Record<string, unknown>)[key];
          expect([name, variable.schema.safeParse(text).success]).toEqual([name, true]);
        }
      }
    }
  });
});

describe('contradictory variables', () => {
  it.each([
    [{ STORAGE: 's3' }, 'S3_BUCKET'],
    [{ S3_ACCESS_KEY_ID: 'id' }, 'S3_ACCESS_KEY_ID'],
    [{ S3_SECRET_ACCESS_KEY: 'secret' }, 'S3_SECRET_ACCESS_KEY'],
    [{ PROVIDER: 'openai' }, 'OPENAI_API_KEY'],
    [{ PROVIDER: '' }, 'OPENAI_API_KEY'],
    [{ REDIS_URL: '' }, 'REDIS_URL'],
    [{ SECRETS_KEY: '' }, 'SECRETS_KEY'],
    [{ MEDIA_TTL_S: '120', RECORD_TTL_S: '60' }, 'MEDIA_TTL_S'],
    [{ REDIS_URL: '/run/redis.sock', REDIS_CLUSTER: 'true' }, 'REDIS_CLUSTER'],
    [{ REDIS_URL: 'redis://cache/3', REDIS_CLUSTER: 'true' }, 'REDIS_URL'],
    [{ API_KEYS: 'acme:12345678', ADMIN_KEY: '12345678' }, 'ADMIN_KEY'],
  ])('reports %j as a fault of %s', (env, name) => {
    const faults = refusals({ ...enough, ...env });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`(^|, )${name}[:,]`));
  });

  it('reports all contradictions together', () => {
    expect(refusals({ STORAGE: 's3', S3_ACCESS_KEY_ID: 'id' })).toHaveLength(5);
  });

  it('ignores contradictions of service variables in the modes tool and dev', () => {
    expect(faultsOf({}, 'tool')).toEqual([]);
    expect(faultsOf({}, 'dev')).toEqual([]);
  });
});

describe('roles', () => {
  it.each([
    ['all', ['api', 'worker', 'webhooks']],
    ['api', ['api']],
    ['worker, webhooks', ['worker', 'webhooks']],
    ['api,all', ['api', 'worker', 'webhooks']],
    ['api,api', ['api']],
  ])('accepts the roles %s', (text, roles) => {
    expect([...serve({ ROLES: text }).roles]).toEqual(roles);
  });

  it('refuses a list without a role', () => {
    expect(refusals({ ...enough, ROLES: ',' })).toHaveLength(1);
  });
});

describe('values', () => {
  it('accepts bootstrap keys that contain colons', () => {
    expect(serve({ API_KEYS: 'acme:key:with:colons, beta:second-key' }).API_KEYS).toEqual([
      { tenant: 'acme', key: 'key:with:colons' },
      { tenant: 'beta', key: 'second-key' },
    ]);
  });

  it('refuses the same bootstrap key for two tenants without showing the key', () => {
    const faults = refusals({ ...enough, API_KEYS: 'acme:s3cr3t-key,beta:other-key,gamma:s3cr3t-key' });
    expect(faults).toEqual([expect.stringMatching(/^API_KEYS: acme and gamma have the same key\. Set/)]);
    expect(faults.join()).not.toContain('s3cr3t');
    expect(serve({ API_KEYS: 'acme:same-key1,acme:same-key1' }).API_KEYS).toHaveLength(2);
  });

  it.each([23, 65])('refuses a webhook secret of %i bytes', (sizeBytes) => {
    const secret = (size: number) => `whsec_${Buffer.alloc(size, 9).toString('base64')}`;
    expect(refusals({ ...enough, WEBHOOK_SECRET: secret(sizeBytes) })).toEqual([
      expect.stringMatching(/^WEBHOOK_SECRET: .*24 to 64 bytes/),
    ]);
    for (const size of [24, 25, 64])
      expect(serve({ WEBHOOK_SECRET: secret(size) }).WEBHOOK_SECRET).toBe(secret(size));
  });

  it('passes every accepted entry of TRUST_PROXY to a server that accepts it', async () => {
    const given = '10.0.0.7,10.0.0.0/8,::1,fd00::/8,::ffff:10.0.0.1,loopback,linklocal,uniquelocal';
    const { TRUST_PROXY: trustProxy } = serve({ TRUST_PROXY: given });
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
      const [fault, ...more] = refusals({ ...enough, TRUST_PROXY: `10.0.0.1,${entry}` });
      expect(fault).toMatch(new RegExp(`^TRUST_PROXY: ${entry} must be an address`));
      expect(more).toEqual([]);
    },
  );

  it('removes slashes from the end of the public URL', () => {
    expect(serve({ PUBLIC_URL: 'https://a.example/base//' }).PUBLIC_URL).toBe('https://a.example/base');
  });

  it.each([
    ['true', true],
    ['1', true],
    ['yes', true],
    ['false', false],
    ['0', false],
    ['no', false],
  ])('parses the boolean value %s', (text, value) => {
    expect(serve({ WEBHOOK_ALLOW_PRIVATE: text }).WEBHOOK_ALLOW_PRIVATE).toBe(value);
  });
});

describe('form of values', () => {
  it('trims white space around a value, because mounted secrets end with a line break', () => {
    const config = serve({
      OPENAI_API_KEY: ' sk-key\n',
      S3_ACCESS_KEY_ID: 'id\r\n',
      S3_SECRET_ACCESS_KEY: 'key\t',
    });
    expect(config).toMatchObject({
      OPENAI_API_KEY: 'sk-key',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'key',
    });
    expect(serve({ DEFAULT_MODEL: ' \n' }).DEFAULT_MODEL).toBe('gpt-image-2.6-flare');
  });

  it.each([
    ['OPENAI_API_KEY', '"sk-key"', 'must not be in quotes'],
    ['DEFAULT_MODEL', "'gpt-image-2'", 'must not be in quotes'],
    ['OPENAI_API_KEY', 'sk-one\nsk-two', 'must not contain a line break'],
    ['OPENAI_API_KEY', 'sk-"key', 'must be a key without spaces and quotes'],
    ['ADMIN_KEY', 'a key', 'must be a key without spaces and quotes'],
    ['API_KEYS', 'acme:"key"', 'must be tenant:key, the key without spaces and quotes'],
  ])('refuses an invalid value of %s at startup: %j', (name, value, fault) => {
    expect(refusals({ ...enough, [name]: value })).toEqual([`${name}: ${fault}`]);
  });
});

describe('describeConfig', () => {
  it('hides the password and the key in a URL', () => {
    const config = serve({
      OPENAI_BASE_URL: 'https://user:pa55@llm.example/v1?api-version=1&api-key=s3cr3t',
    });
    const shown = describeConfig(config).find(({ name }) => name === 'OPENAI_BASE_URL')?.value;
    expect(shown).toBe('https://hidden:hidden@llm.example/v1?api-version=1&api-key=hidden');
  });

  it('hides every secret that is set and shows all other values with their source', () => {
    const secrets = {
      ...enough,
      OPENAI_API_KEY: 'sk-s3cr3t',
      API_KEYS: 'acme:s3cr3t-key',
      ADMIN_KEY: 's3cr3t-admin',
      DARKROOM_API_KEY: 's3cr3t-key',
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 9).toString('base64')}`,
      S3_ACCESS_KEY_ID: 's3cr3t-id',
      S3_SECRET_ACCESS_KEY: 's3cr3t',
    };
    const described = describeConfig(loadConfig({ ...secrets, PORT: '8123' }, 'serve'));
    const text = JSON.stringify(described);
    for (const secret of ['s3cr3t', 'pa55word', secretsKey, secrets.WEBHOOK_SECRET, 'whsec_'])
      expect(text).not.toContain(secret);
    const shownAs = (name: string) => described.find((each) => each.name === name);
    expect(shownAs('ADMIN_KEY')).toEqual({ name: 'ADMIN_KEY', value: '(hidden)', source: 'environment' });
    expect(shownAs('PORT')).toEqual({ name: 'PORT', value: '8123', source: 'environment' });
    expect(shownAs('ROLES')).toEqual({ name: 'ROLES', value: 'api,worker,webhooks', source: 'default' });
    expect(shownAs('S3_BUCKET')).toEqual({ name: 'S3_BUCKET', value: '', source: 'unset' });
  });

  it('describes every variable', () => {
    expect(describeConfig(serve()).map((each) => each.name)).toEqual(Object.keys(variables));
  });
});
