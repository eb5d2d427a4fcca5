import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { runCommand } from '../support/command-line.ts';
import { queryRedis, startTestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Every command is a separate process.
vi.setConfig({ testTimeout: 60_000 });

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

const run = (args: readonly string[], env: Record<string, string> = {}) =>
  runCommand(args, { cwd: service.dataDir, env: { ...service.env, ...env } });

describe('darkroom doctor', () => {
  it('doctor names every part and exits with 0 if all are in order', async () => {
    const { code, stdout } = await run(['doctor', '--json']);
    expect(JSON.parse(stdout)).toEqual(
      ['Node', 'configuration', 'models', 'data folder', 'Redis', 'storage', 'provider'].map((name) => ({
        name,
        ok: true,
        detail: expect.stringMatching(/./),
      })),
    );
    expect(code).toBe(0);
  });

  it('doctor exits with 1 if parts fail and names the remedy for each', async () => {
    const { code, stdout } = await run(['doctor'], {
      REDIS_URL: 'redis://127.0.0.1:1',
      STORAGE: 's3',
      S3_BUCKET: 'nowhere',
      S3_ENDPOINT: 'http://127.0.0.1:1',
      S3_ACCESS_KEY_ID: 'unused-id',
      S3_SECRET_ACCESS_KEY: 'unused-secret',
    });
    const lines = stdout.trim().split('\n');
    expect(code).toBe(1);
    expect(lines.filter((line) => line.startsWith('FAIL')).map((line) => line.split(/[ :]+/)[1])).toEqual([
      'Redis',
      'storage',
    ]);
    expect(stdout).toMatch(/Redis at redis:\/\/127\.0\.0\.1:1\/0 cannot be used: .*ECONNREFUSED.*REDIS_URL/);
    expect(stdout).toMatch(/S3_ENDPOINT/);
    expect(stdout).not.toContain('unused-secret');
  });
});

describe('darkroom doctor with a risky configuration', () => {
  it('doctor warns of a short key without showing it', async () => {
    const { code, stdout } = await run(['doctor'], { ADMIN_KEY: 's3cr3t' });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok +configuration: .*fewer than 16 characters/m);
    expect(stdout).not.toContain('s3cr3t');
  });

  it('doctor fails for a default model that is shut down, and the configuration stays usable', async () => {
    const { models, ...file } = JSON.parse(await readFile('src/data/catalogue.json', 'utf8'));
    const old = models.map((model: { id: string }) =>
      model.id === 'gpt-image-2'
        ? { ...model, shutdown_at: '2026-01-01', successor: 'gpt-image-2.6-flare' }
        : model,
    );
    const CATALOGUE_FILE = join(await temporaryFolder(), 'catalogue.json');
    await writeFile(CATALOGUE_FILE, JSON.stringify({ ...file, models: old }));
    const { code, stdout } = await run(['doctor'], { CATALOGUE_FILE, DEFAULT_MODEL: 'gpt-image-2' });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ok +configuration/m);
    expect(stdout).toMatch(/^FAIL +models: DEFAULT_MODEL: gpt-image-2 is retired. Set gpt-image-2.6-flare$/m);
  });
});

describe('darkroom doctor beside an idle deployment', () => {
  it('doctor accepts the models of an operator that the built-in presets do not fit', async () => {
    const CATALOGUE_FILE = join(await temporaryFolder(), 'catalogue.json');
    const own = { price_version: '1', models: [{ id: 'house-1', status: 'current', sizes: ['auto'] }] };
    await writeFile(CATALOGUE_FILE, JSON.stringify(own));
    const { stdout } = await run(['doctor'], { CATALOGUE_FILE, DEFAULT_MODEL: 'house-1' });
    expect(stdout).toMatch(/^ok +models: requests without a model use house-1$/m);
  });

  it('doctor reports a preset whose defaults no request can use', async () => {
    const PRESETS_FILE = join(await temporaryFolder(), 'presets.json');
    const preset = { name: 'house', description: 'x', template: '{{prompt}}', defaults: { size: '7x7' } };
    await writeFile(PRESETS_FILE, JSON.stringify({ presets: [preset] }));
    const { code, stdout } = await run(['doctor'], { PRESETS_FILE });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL +models: PRESETS_FILE: default size of house: /m);
    expect(stdout.match(/PRESETS_FILE: default/g)).toHaveLength(1);
  });

  it('doctor creates no file and no key, although folder and Redis are writable', async () => {
    const redis = await startTestRedis();
    onTestFinished(redis.stop);
    const DATA_DIR = await temporaryFolder();
    const cwd = await temporaryFolder();
    await queryRedis(redis.url, (client) => client.config('SET', 'appendonly', 'yes'));
    const env = { ...service.env, REDIS_URL: redis.url, DATA_DIR };
    const { code, stdout } = await runCommand(['doctor'], { cwd, env });
    expect(stdout).not.toContain('FAIL');
    expect(code).toBe(0);
    expect(await readdir(DATA_DIR)).toEqual([]);
    expect(await readdir(cwd)).toEqual([]);
    expect(await queryRedis(redis.url, (client) => client.keys('*'))).toEqual([]);
  });

  it('doctor reports a Redis without an append-only file, with the setting to change', async () => {
    const redis = await startTestRedis();
    onTestFinished(redis.stop);
    await queryRedis(redis.url, (client) => client.config('SET', 'appendonly', 'no'));
    const { code, stdout } = await run(['doctor'], { REDIS_URL: redis.url });
    expect(code).toBe(1);
    expect(stdout).toMatch(/FAIL {2}Redis: .*appendonly is off.*Set appendonly to yes/);
  });

  it('doctor reports a full Redis without a write', async () => {
    const redis = await startTestRedis();
    onTestFinished(redis.stop);
    await queryRedis(redis.url, (client) => client.config('SET', 'maxmemory', '1kb'));
    const { code, stdout } = await run(['doctor'], { REDIS_URL: redis.url });
    expect(code).toBe(1);
    expect(stdout).toContain('FAIL  Redis: memory is full');
  });
});

describe('darkroom doctor with a Redis that requires a password', () => {
  it('doctor reports NOAUTH with the address of the Redis', async () => {
    const redis = await startTestRedis();
    onTestFinished(redis.stop);
    await queryRedis(redis.url, (client) => client.config('SET', 'requirepass', 'the-password'));
    const { code, stdout } = await run(['doctor'], { REDIS_URL: redis.url });
    expect(code).toBe(1);
    expect(stdout).toContain(`FAIL  Redis: Redis at ${redis.path} cannot be used: NOAUTH`);
  });
});

describe('darkroom doctor without settings', () => {
  const check = async (env: Record<string, string>) => {
    const cwd = await temporaryFolder();
    const { code, stdout } = await runCommand(['doctor', '--json'], { cwd, env });
    const findings = JSON.parse(stdout) as { name: string; ok: boolean; detail: string }[];
    return { code, findings, of: (name: string) => findings.find((finding) => finding.name === name) };
  };

  it('doctor checks the needs of dev, lists the faults for serve and leaves no files', async () => {
    const TMPDIR = await temporaryFolder();
    const longName = 'a long name '.repeat(10);
    const { code, findings, of } = await check({ DATA_DIR: join(TMPDIR, longName), TMPDIR });
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(code).toBe(0);
    expect(of('configuration')?.detail).toMatch(
      /no faults for `darkroom dev`; `darkroom serve` would refuse:/,
    );
    for (const name of ['REDIS_URL', 'SECRETS_KEY', 'OPENAI_API_KEY'])
      expect(of('configuration')?.detail).toContain(`\n  ${name}: needed`);
    expect(of('Redis')?.detail).toContain('`darkroom dev` starts one');
    // tsx, which runs the sources here, has its cache in TMPDIR as well.
    expect((await readdir(TMPDIR)).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
  });

  it('doctor checks the needs of serve in production and still checks the other parts', async () => {
    const { code, of } = await check({
      NODE_ENV: 'production',
      OPENAI_API_KEY: 'sk-x',
      PROVIDER: 'studio',
    });
    expect(code).toBe(1);
    expect(of('configuration')).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/SECRETS_KEY: needed/),
    });
    expect(of('Redis')?.ok).toBe(false);
    expect(of('storage')?.ok).toBe(true);
    // The key is set, but PROVIDER does not use it.
    expect(of('provider')).toMatchObject({ ok: true, detail: expect.stringMatching(/^studio: offline/) });
  });

  it('doctor reports invalid variables as a finding', async () => {
    const { code, findings } = await check({ PORT: 'eighty', CATALOGUE_FILE: 'none.json' });
    expect(code).toBe(1);
    expect(findings.map(({ name, ok }) => [name, ok])).toEqual([
      ['Node', true],
      ['configuration', false],
    ]);
    expect(findings[1]?.detail).toMatch(
      /\n {2}PORT: must be a whole number from 0 to 65535\n {2}CATALOGUE_FILE: none\.json/,
    );
  });
});
