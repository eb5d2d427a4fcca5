import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDataFolder } from '../../../src/compose/data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the data folder', () => {
  it('is created with its parents, for its user only, and may exist', async () => {
    const folder = join(await temporaryFolder(), 'a/b');
    createDataFolder(folder);
    createDataFolder(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it.each(['/proc/x', '/proc/x/y', '/dev/null', '/dev/null/x'])(
    'is refused with the name of its variable if it cannot be a folder: %s',
    (folder) => {
      expect(() => createDataFolder(folder)).toThrow(/DATA_DIR: \/(proc\/x|dev\/null)/);
    },
  );
});
