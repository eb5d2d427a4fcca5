import { describe, expect, it } from 'vitest';
import { ConfigError, faultsOf, loadConfig } from '../../../src/config/config.ts';
import { type VariableName, variables } from '../../../src/config/variables.ts';
import { minimalEnvironment, serviceConfig, serviceFaults } from '../../support/configuration.ts';

/** Invalid values of all variables that do not accept every text. */
const bad: Partial<Record<VariableName, string>> = {
  AUDIT_TTL_S: '-1',
  FREE_RECORD_TTL_S: '-1',
  LEDGER_TTL_S: '-1',
  MAX_OPEN_STREAMS: '-1',
  MAX_STORED_BYTES: '-1',
  MAX_STORED_JOBS: '-1',
  MAX_UPLOADS: '-1',
  MAX_USAGE_ROWS: '-1',
  MODERATION_MAX_BLOCKS: '-1',
  MODERATION_THROTTLE_S: '-1',
  MODERATION_WINDOW_S: '-1',
  REDIS_MAX_MEMORY_PERCENT: '101',
  SEND_SAFETY_IDENTIFIER: 'maybe',
  THUMBNAILS: 'maybe',
  USAGE_METADATA_KEYS: 'a b',
  USAGE_TTL_S: '-1',
  PORT: '65536',
  ROLES: 'api,cook',
  PUBLIC_URL: 'ftp://x',
  LOG_LEVEL: 'loud',
  TRUST_PROXY: '10.0.0.1, banana',
  SHUTDOWN_GRACE_S: '-1',
  REDIS_URL: 'localhost',
  REDIS_CLUSTER: 'maybe',
  REQUIRE_AOF: 'always',
  REDIS_KEY_PREFIX: 'Bad Prefix',
  SPOOL_MAX_BYTES: '1 GB',
  STORAGE: 'tape',
  S3_ENDPOINT: 'minio:9000',
  S3_PUBLIC_ENDPOINT: 'nowhere',
  S3_ACCESS_KEY_ID: 'an id',
  S3_SECRET_ACCESS_KEY: "'key",
  S3_FORCE_PATH_STYLE: '2',
  PROVIDER: 'other',
  OPENAI_API_KEY: 'sk-"key',
  OPENAI_BASE_URL: 'file:///etc/passwd',
  OPENAI_MODE: 'batch',
  CATALOGUE_FILE: '/does/not/exist.json',
  CORS_ORIGINS: 'bad value',
  ALLOW_UNKNOWN_MODELS: 'perhaps',
  UNKNOWN_COST: 'ignore',
  ON_UNCERTAIN: 'panic',
  ON_QUOTA: 'pay',
  HTTPS_PROXY: 'proxy:3128',
  HTTP_PROXY: 'socks5://proxy:1080',
  MAX_PAID_ATTEMPTS: '0',
  PRESETS_FILE: '/does/not/exist.json',
  API_KEYS: 'acme',
  ADMIN_KEY: 'two words',
  SECRETS_KEY: 'dG9vIHNob3J0',
  WORKER_CONCURRENCY: '0',
  WEBHOOK_CONCURRENCY: '1e3',
  QUEUE_TTL_S: '1.5',
  RUN_TIMEOUT_S: '7201',
  UPLOAD_TTL_S: '59',
  MAX_UPLOAD_BYTES: '10 GB',
  INPUT_ALLOW_PRIVATE: 'on',
  WEBHOOK_SECRET: 'whsec_short',
  WEBHOOK_ALLOWED_NETWORKS: '10.0.0.0/33',
  WEBHOOK_SCHEDULE_S: 'a,b',
  WEBHOOK_DISABLE_AFTER_S: '-1',
  WEBHOOK_LOG_TTL_S: 'forever',
  WEBHOOK_HOST_PER_MINUTE: '0',
  WEBHOOK_TENANT_PER_MINUTE: '1000001',
  WEBHOOK_ALLOW_PRIVATE: 'on',
  V1_MODEL_MAP: 'dall-e-3',
  V1_CANCEL_ON_DISCONNECT: 'on',
  V1_INTERIM_RESPONSES: 'often',
  V1_KEEP_ALIVE_S: '0',
  MAX_OPEN_JOBS: 'many',
  MEDIA_TTL_S: '59',
  RECORD_TTL_S: '5 9',
  LINK_TTL_S: '604801',
  DARKROOM_URL: 'example.com',
  DARKROOM_API_KEY: 'a key',
  MAX_WEBHOOK_ENDPOINTS: '1001',
  MAX_KEYS_PER_TENANT: '0',
};

describe('configuration faults', () => {
  it('reports all invalid variables together, each exactly once', () => {
    const faults = serviceFaults({ ...minimalEnvironment, ...bad });
    expect(faults.map((fault) => fault.slice(0, fault.indexOf(':'))).sort()).toEqual(Object.keys(bad).sort());
    for (const fault of faults) expect(fault).toMatch(/^[A-Z0-9_]+: \S.{6,}$/);
  });

  it('has an invalid value here for every variable that does not accept every text', () => {
    const accepting = Object.entries(variables).filter(([, { schema }]) => schema.safeParse('~ x y').success);
    expect([...Object.keys(bad), ...accepting.map(([name]) => name)].sort()).toEqual(
      Object.keys(variables).sort(),
    );
  });

  it('reports invalid values together with missing and contradictory ones', () => {
    const faults = serviceFaults({ REDIS_URL: 'localhost', PORT: 'eighty', S3_ACCESS_KEY_ID: 'id' });
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
    expect(serviceFaults({ ...minimalEnvironment, ...few }).toSorted()).toEqual([
      'ADMIN_KEY: must be a key without spaces, quotes and characters outside ASCII',
      'MAX_PAID_ATTEMPTS: must be a whole number from 1 to 10',
      'ROLES: must be one of api, worker, webhooks, all',
      'WEBHOOK_SCHEDULE_S: must be a whole number from 0 to 604800',
    ]);
  });

  it.each(['api', 'webhooks', 'api,webhooks'])('requires no provider key for the roles %s', (ROLES) => {
    const { OPENAI_API_KEY: _key, PROVIDER: _provider, ...rest } = minimalEnvironment as NodeJS.ProcessEnv;
    expect(serviceFaults({ ...rest, ROLES })).toEqual([]);
    expect(serviceFaults({ ...rest, ROLES: `${ROLES},worker` })).toEqual([
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
    const faults = serviceFaults({ ...minimalEnvironment, ...secrets });
    expect(faults).toHaveLength(5);
    expect(faults.join('\n')).not.toContain('s3cr3t');
  });

  it('treats an empty variable as unset', () => {
    const empty = Object.fromEntries(Object.keys(variables).map((name) => [name, '']));
    const config = loadConfig({ ...empty, ...minimalEnvironment }, 'serve');
    expect(config.PORT).toBe(8080);
    expect(config.PUBLIC_URL).toBeUndefined();
    expect(config.sources).toMatchObject({ PORT: 'default', PUBLIC_URL: 'unset', REDIS_URL: 'environment' });
  });

  it('applies the documented defaults to unset variables', () => {
    expect(serviceConfig()).toMatchObject({
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
  it('accepts unknown models if ALLOW_UNKNOWN_MODELS is on, and the default model as a target', () => {
    const unknown = { ALLOW_UNKNOWN_MODELS: 'true', DEFAULT_MODEL: 'nope', V1_MODEL_MAP: 'a=other' };
    expect(serviceFaults({ ...minimalEnvironment, ...unknown })).toEqual([]);
    expect(serviceFaults({ ...minimalEnvironment, V1_MODEL_MAP: '*=default' })).toEqual([]);
  });

  it('suggests the nearest model for one that the catalogue does not contain', () => {
    expect(serviceFaults({ ...minimalEnvironment, DEFAULT_MODEL: 'gpt-image-2.6-flar' })).toEqual([
      expect.stringContaining('Did you mean gpt-image-2.6-flare?'),
    ]);
  });

  it('accepts a model that is shut down by its date only, because a restart must not fail on that day', () => {
    expect(serviceFaults({ ...minimalEnvironment, DEFAULT_MODEL: 'gpt-image-1.5' })).toEqual([]);
  });

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
    [{ DEFAULT_MODEL: 'nope' }, 'DEFAULT_MODEL'],
    [{ DEFAULT_MODEL: 'dall-e-3' }, 'DEFAULT_MODEL'],
    [{ DEFAULT_MODEL: 'dall-e-3', ALLOW_UNKNOWN_MODELS: 'true' }, 'DEFAULT_MODEL'],
    [{ DEFAULT_QUALITY: 'nope' }, 'DEFAULT_QUALITY'],
    [{ V1_MODEL_MAP: 'a=gpt-image-2,b=nope' }, 'V1_MODEL_MAP'],
    [{ V1_MODEL_MAP: 'dall-e-3=dall-e-2' }, 'V1_MODEL_MAP'],
  ])('reports %j as a fault of %s', (env, name) => {
    const faults = serviceFaults({ ...minimalEnvironment, ...env });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`(^|, )${name}[:,]`));
  });

  it('reports all contradictions together', () => {
    expect(serviceFaults({ STORAGE: 's3', S3_ACCESS_KEY_ID: 'id' })).toHaveLength(5);
  });

  it('ignores contradictions of service variables in the modes tool and dev', () => {
    expect(faultsOf({}, 'tool')).toEqual([]);
    expect(faultsOf({}, 'dev')).toEqual([]);
  });
});
