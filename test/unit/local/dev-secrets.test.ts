import { execFile } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadDevSecrets } from '../../../src/local/dev-secrets.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);

describe('the secrets of a development folder', () => {
  it('creates development secrets once, reads them again, and restricts them to their owner', async () => {
    const folder = join(await temporaryFolder(), 'data');
    const made = loadDevSecrets(folder);
    expect(loadDevSecrets(folder)).toEqual(made);
    expect(made.secretsKey).toHaveLength(32);
    expect((await readdir(folder)).toSorted()).toEqual(['dev-api-key', 'secrets-key']);
    expect((await stat(join(folder, 'secrets-key'))).mode & 0o777).toBe(0o600);
  });

  it('creates the same secrets for processes that start at the same time', async () => {
    const folder = await temporaryFolder();
    const program = join(import.meta.dirname, '../../support/dev-secrets-process.ts');
    const startMs = String(Date.now() + 2_000);
    const load = () => run(process.execPath, ['--import', 'tsx', program, folder, '100', startMs]);
    const [first, second] = await Promise.all([load(), load()]);
    expect(JSON.parse(first.stdout)).toHaveLength(100);
    expect(first.stdout).toBe(second.stdout);
  });

  it('refuses a file without a key, because links and secrets would not be protected', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'secrets-key'), '');
    expect(() => loadDevSecrets(folder)).toThrow(`${folder}/secrets-key does not contain 32 bytes`);
  });

  it('does not replace development secrets that cannot be read', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'secrets-key'));
    expect(() => loadDevSecrets(folder)).toThrow('EISDIR');
    expect(await readdir(folder)).toEqual(['secrets-key']);
  });
});
