import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { withKeys } from '../../src/compose/tools.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { commandLineManager } from '../../src/usecases/access/manager.ts';
import { startRedisIn } from '../support/redis.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it('connects tools to the Redis of a data folder with a long path through a short link', async () => {
  const folder = await temporaryFolder();
  const long = join(folder, 'a long name '.repeat(10));
  const link = join(folder, 'data');
  await mkdir(long);
  await symlink(long, link);
  const redis = await startRedisIn(link);
  onTestFinished(() => redis.stop());
  expect(redis.path).not.toContain(folder);

  const config = loadConfig({ DATA_DIR: link }, 'tool');
  const listed = withKeys(config, createLogger({ level: 'silent', pretty: false }), (keys) =>
    keys.list(commandLineManager, { limit: 5 }),
  );
  await expect(listed).resolves.toEqual({ keys: [], next: null });
});
