import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDevSecrets } from '../../../src/local/dev-secrets.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the secrets of a development folder', () => {
  it('creates development secrets once, reads them again, and restricts them to their owner', async () => {
    const folder = join(await temporaryFolder(), 'data');
    const made = loadDevSecrets(folder);
    expect(loadDevSecrets(folder)).toEqual(made);
    expect(made.secretsKey).toHaveLength(32);
    expect((await readdir(folder)).toSorted()).toEqual(['dev-api-key', 'secrets-key']);
    expect((await stat(join(folder, 'secrets-key'))).mode & 0o777).toBe(0o600);
  });

  it('does not replace development secrets that cannot be read', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'secrets-key'));
    expect(() => loadDevSecrets(folder)).toThrow('EISDIR');
    expect(await readdir(folder)).toEqual(['secrets-key']);
  });
});
