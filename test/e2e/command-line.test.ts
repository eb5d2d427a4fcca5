import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import type { CliContext } from '../../src/inbound/cli/context.ts';
import { createProgram } from '../../src/inbound/cli/program.ts';
import { createCaller } from '../support/caller.ts';
import { runCommand } from '../support/command-line.ts';
import { startService, type TestService } from '../support/service.ts';
import { compiledProgram, systemEnvironment } from '../support/service-process.ts';
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

/** Runs a command of a shell, such as one with a redirection. */
async function runShell(command: string): Promise<{ code: number; stderr: string }> {
  const line = `"${process.execPath}" "${compiledProgram('main')}" ${command}; exit "\${PIPESTATUS[0]}"`;
  const options = { cwd: service.dataDir, env: { ...systemEnvironment(), ...service.env } };
  return promisify(execFile)('bash', ['-c', line], options).then(
    ({ stderr }) => ({ code: 0, stderr }),
    ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
  );
}

describe('darkroom keys', () => {
  it('keys create prints a key once, and the key works until keys revoke', async () => {
    const made = await run(['keys', 'create', '--tenant', 'acme', '--name', 'a test', '--json']);
    const { id, key, scopes } = JSON.parse(made.stdout);
    expect(made.code).toBe(0);
    expect(key).toMatch(/^dkr_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
    expect(scopes).toEqual(['images:write', 'images:read', 'webhooks']);
    await createCaller(service.url, key).get('/images').expect(200);

    const listed = await run(['keys', 'list']);
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(new RegExp(`${id}.*acme.*a test.*live`));
    expect(listed.stdout).not.toContain(key.slice(-40));

    const revoked = await run(['keys', 'revoke', id]);
    expect(revoked).toMatchObject({ code: 0, stdout: `${id} is revoked.\n` });
    // Sooner than the cache entry of the key expires.
    await vi.waitFor(() => createCaller(service.url, key).get('/images').expect(401), { timeout: 2_000 });
  });

  it('keys create accepts a lifetime of half a day and refuses a lifetime out of range', async () => {
    const made = await run(['keys', 'create', '--tenant', 'acme', '--expires-in-days', '0.5', '--json']);
    const { created_at, expires_at } = JSON.parse(made.stdout);
    expect((Date.parse(expires_at) - Date.parse(created_at)) / 3_600_000).toBeCloseTo(12, 2);
    const refused = await run(['keys', 'create', '--tenant', 'acme', '--expires-in-days=3651']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('for example 90 or 0.5')]);
  });

  it('keys create prints only the key on standard output, so that a script can capture it', async () => {
    const { stdout, stderr } = await run(['keys', 'create', '--tenant', 'acme']);
    expect(stdout).toMatch(/^dkr_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\n$/);
    expect(stderr).toMatch(/^Store it now, it is not shown again\. Its id is key_\w+\.\n$/);
  });

  it.runIf(process.platform === 'linux').each([
    ['a full disk', '> /dev/full'],
    ['a reader that has ended', '| true'],
  ])('keys create says which key to revoke if its output goes to %s', async (_name, redirection) => {
    const { code, stderr } = await runShell(`keys create --tenant full ${redirection}`);
    const listed = await run(['keys', 'list', '--tenant', 'full', '--json']);
    const ids = JSON.parse(listed.stdout).map(({ id }: { id: string }) => id);
    expect(code).toBe(1);
    expect(stderr).toContain(`darkroom keys revoke ${ids[0]}\n`);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it.runIf(process.platform === 'linux')(
    'a command whose output goes to a full disk exits with 1 and says so in one line',
    async () => {
      const { code, stderr } = await runShell('openapi > /dev/full');
      expect(code).toBe(1);
      expect(stderr).toMatch(/^Standard output cannot be written: ENOSPC: .*\n$/);
    },
  );

  it('keys commands refuse an unknown scope and an unknown id with exit code 1', async () => {
    const results = await Promise.all([
      run(['keys', 'create', '--tenant', 'acme', '--scopes', 'images:paint']),
      run(['keys', 'revoke', 'key_none']),
    ]);
    expect(results.map(({ code }) => code)).toEqual([1, 1]);
    expect(results[0]?.stderr).toContain('images:paint');
    expect(results[1]?.stderr).toContain('key_none');
    for (const { stderr } of results) expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('darkroom config', () => {
  it('config prints every value with its source and hides secrets', async () => {
    const file = join(service.dataDir, 'admin-key');
    await writeFile(file, 'admin-key-from-a-file\n');
    const { code, stdout } = await run(['config'], { ADMIN_KEY: '', ADMIN_KEY_FILE: file });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^DATA_DIR +environment +\S+$/m);
    expect(stdout).toMatch(/^DEFAULT_MODEL +default +\S+$/m);
    expect(stdout).toMatch(/^ADMIN_KEY +file +\(hidden\)$/m);
    expect(stdout).toMatch(/^S3_ENDPOINT +unset$/m);
    expect(stdout).toMatch(/^PUBLIC_URL +derived +the address of each request$/m);
    for (const name of ['SECRETS_KEY', 'OPENAI_API_KEY', 'API_KEYS', 'REDIS_URL']) {
      expect(stdout).toMatch(new RegExp(`^${name} +environment +\\(hidden\\)$`, 'm'));
      expect(stdout).not.toContain(service.env[name]);
    }
    expect(stdout).not.toContain('admin-key-from-a-file');
  });

  it('config shows what dev runs and creates itself, without its secrets', async () => {
    const cwd = await temporaryFolder();
    const { stdout } = await runCommand(['config'], { cwd, env: { PORT: '9998' } });
    expect(stdout).toMatch(/^REDIS_URL +derived +the Redis of dev, data in \.\/\.darkroom\/redis$/m);
    expect(stdout).toMatch(/^SECRETS_KEY +derived +\(hidden\), in \.\/\.darkroom\/secrets-key$/m);
    expect(stdout).toMatch(/^DARKROOM_API_KEY +derived +\(hidden\), in \.\/\.darkroom\/dev-api-key$/m);
    expect(stdout).toMatch(/^DARKROOM_URL +derived +http:\/\/localhost:9998$/m);
    expect(stdout).toMatch(/^PROVIDER +derived +studio$/m);

    const json = await runCommand(['config', '--json'], { cwd, env: { OPENAI_API_KEY: 'sk-of-the-tests' } });
    const values = JSON.parse(json.stdout) as { name: string; value: string; source: string }[];
    expect(values.find(({ name }) => name === 'PROVIDER')).toEqual({
      name: 'PROVIDER',
      value: 'openai',
      source: 'derived',
    });
  });

  it('config reads .env after the environment and reports an unreadable .env', async () => {
    const cwd = await temporaryFolder();
    const file = join(cwd, '.env');
    // Editors on Windows write a byte order mark and other line ends.
    await writeFile(file, '\ufeffDEFAULT_MODEL="gpt-image-2"\r\nPORT=9999\r\n');
    const { stdout } = await runCommand(['config'], { cwd, env: { PORT: '9998' } });
    expect(stdout).toMatch(/^PORT +environment +9998$/m);
    expect(stdout).toMatch(/^DEFAULT_MODEL +environment +gpt-image-2$/m);

    await rm(file);
    await mkdir(file);
    const { code, stderr } = await runCommand(['config'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ +\.env: cannot be read \(EISDIR\)\. .*$/m);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('config prints the values of the mode that the environment is meant for', async () => {
    const cwd = await temporaryFolder();
    const valuesOf = async (env: Record<string, string>) => {
      const { stdout } = await runCommand(['config', '--json'], { cwd, env });
      const values: { name: string; value: string }[] = JSON.parse(stdout);
      return Object.fromEntries(values.map(({ name, value }) => [name, value]));
    };
    const [local, deployed] = [await valuesOf({}), await valuesOf({ REDIS_URL: 'redis://cache:6379' })];
    expect(local).toMatchObject({ HOST: '127.0.0.1', WEBHOOK_ALLOW_PRIVATE: 'true' });
    expect(deployed).toMatchObject({ HOST: '0.0.0.0', WEBHOOK_ALLOW_PRIVATE: 'false' });
  });

  it('config names all invalid variables at once without printing secrets', async () => {
    const bad = {
      PORT: 'eighty',
      ROLES: 'api,painter',
      STORAGE: 'ftp',
      SECRETS_KEY: 'too-short-a-secret',
      WORKER_CONCURRENCY: '0',
      PUBLIC_URL: 'example.com',
      DARKROOM_URL: 'example.com',
      CATALOGUE_FILE: 'no-such-file.json',
    };
    const { code, stderr } = await run(['config'], bad);
    expect(code).toBe(1);
    for (const name of Object.keys(bad)) {
      expect(stderr).toMatch(new RegExp(`^ +${name}: `, 'm'));
    }
    expect(stderr).not.toContain('too-short-a-secret');
  });
});

describe('darkroom serve', () => {
  it('serve refuses to start without the required variables and names each of them', async () => {
    const { code, stderr } = await runCommand(['serve'], { cwd: service.dataDir });
    expect(code).toBe(1);
    for (const name of ['REDIS_URL', 'SECRETS_KEY', 'OPENAI_API_KEY'])
      expect(stderr).toContain(`${name}: needed`);
  });
});

describe('darkroom openapi', () => {
  it('openapi prints the committed document', async () => {
    const committed = await readFile(new URL('../../openapi.yaml', import.meta.url), 'utf8');
    const { code, stdout } = await run(['openapi']);
    expect(code).toBe(0);
    expect(stdout.trimEnd()).toBe(committed.trimEnd());
  });

  it('openapi --json prints the same document as JSON', async () => {
    const committed = await readFile(new URL('../../openapi.yaml', import.meta.url), 'utf8');
    const { code, stdout } = await run(['openapi', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(parse(committed));
  });
});

describe('every command', () => {
  it('every command is listed, has a description and supports --help', async () => {
    const listed = (command: Command): Command[] => [command, ...command.commands.flatMap(listed)];
    const pathOf = (command: Command): string =>
      command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
    const commands = listed(createProgram({ version: '0.0.0' } as CliContext));

    expect(commands.map(pathOf)).toEqual(
      expect.arrayContaining(
        [
          'serve',
          'dev',
          'doctor',
          'config',
          'generate',
          'openapi',
          'keys create',
          'keys list',
          'keys revoke',
        ].map((name) => `darkroom ${name}`),
      ),
    );
    for (const command of commands) {
      expect(command.description(), pathOf(command)).not.toBe('');
      expect(command.helpInformation()).toMatch(new RegExp(`^Usage: ${pathOf(command)}[^]*-h, --help`));
    }
    const { code, stdout } = await run(['keys', 'create', '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: darkroom keys create \[options\]\n/);
    expect(stdout).toContain('--tenant');
  });
});
