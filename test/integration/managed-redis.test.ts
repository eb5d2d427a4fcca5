import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { processIdentity } from '../../src/local/redis/process-identity.ts';
import { startManagedRedis } from '../../src/local/redis/start.ts';
import { queryRedis, startRedisIn } from '../support/redis.ts';
import { startRedisOwner } from '../support/redis-owner.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function start(dataDir: string, log?: (line: string) => void) {
  const redis = await startRedisIn(dataDir, log);
  onTestFinished(() => redis.stop());
  return redis;
}

describe('a managed Redis', () => {
  it('listens on a socket for its user alone, on no port, and persists its data', async () => {
    const redis = await start(await temporaryFolder());
    expect(redis.reused).toBe(false);
    expect(redis.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect((await stat(redis.path)).mode & 0o777).toBe(0o700);
    const settings = await queryRedis(redis.url, async (client) => {
      const names = ['port', 'appendonly', 'appendfsync', 'save', 'maxmemory-policy'];
      return Promise.all(names.map(async (name) => ((await client.config('GET', name)) as string[])[1]));
    });
    expect(settings).toEqual(['0', 'yes', 'everysec', '', 'noeviction']);
  });

  it('finds its keys again after a stop and a second start', async () => {
    const dataDir = await temporaryFolder();
    const first = await start(dataDir);
    await queryRedis(first.path, (client) => client.set('kept', 'yes'));
    await first.stop();
    expect(processIdentity(first.pid)).toBeUndefined();
    const second = await start(dataDir);
    expect(await queryRedis(second.path, (client) => client.get('kept'))).toBe('yes');
  });

  it('leaves only its data and its log behind after any number of stops', async () => {
    const dataDir = await temporaryFolder();
    const redis = await start(dataDir);
    await Promise.all([redis.stop(), redis.stop()]);
    await redis.stop();
    const left = (await readdir(join(dataDir, 'redis'))).filter((name) => !name.startsWith('append'));
    expect(left).toEqual(['redis.log']);
  });

  it('reports an unexpected end of its server, and can still be stopped and started again', async () => {
    const dataDir = await temporaryFolder();
    const lines: string[] = [];
    const redis = await start(dataDir, (line) => lines.push(line));
    await queryRedis(redis.path, (client) => client.set('kept', 'yes'));
    process.kill(redis.pid, 'SIGKILL');
    await expect.poll(() => lines.join('\n')).toMatch(/ended unexpectedly \(SIGKILL\): see .*redis\.log/);
    await redis.stop();
    const next = await start(dataDir);
    expect(await queryRedis(next.path, (client) => client.get('kept'))).toBe('yes');
  });

  it('works with a data folder whose path is too long for a socket', async () => {
    const dataDir = join(await temporaryFolder(), 'a long name, with marks? '.repeat(5), 'data');
    const redis = await start(dataDir);
    expect(Buffer.byteLength(redis.path)).toBeLessThanOrEqual(100);
    expect((await stat(dirname(redis.path))).mode & 0o777).toBe(0o700);
    expect(await queryRedis(redis.url, (client) => client.ping())).toBe('PONG');
    await expect(startRedisIn(dataDir)).rejects.toThrow(/another Darkroom/);
    await redis.stop();
    expect(existsSync(dirname(redis.path))).toBe(false);
  });

  it('works with a data folder whose name contains special characters of URLs', async () => {
    const redis = await start(join(await temporaryFolder(), "what? 100% a,b 'c'"));
    expect(dirname(redis.path)).toMatch(/what\? 100% a,b 'c'\/redis$/);
    expect(await queryRedis(redis.url, (client) => client.ping())).toBe('PONG');
  });

  it('refuses a socket folder that another user could have prepared', async () => {
    const dataDir = join(await temporaryFolder(), 'y'.repeat(100));
    const redis = await start(dataDir);
    const folder = dirname(redis.path);
    await redis.stop();
    await mkdir(folder);
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await chmod(folder, 0o777);
    await expect(startRedisIn(dataDir)).rejects.toThrow(/not a private folder of this user/);
  });
});

describe('two Darkroom processes', () => {
  it('isolates two processes that use different data folders', async () => {
    const [one, two] = [await start(await temporaryFolder()), await start(await temporaryFolder())];
    await queryRedis(one.path, (client) => client.set('key', 'one'));
    expect(await queryRedis(two.path, (client) => client.get('key'))).toBeNull();
    await one.stop();
    expect(await queryRedis(two.path, (client) => client.ping())).toBe('PONG');
  });

  it('refuses a second process on a data folder and names the owner, and the first process continues', async () => {
    const dataDir = await temporaryFolder();
    const owner = await startRedisOwner(dataDir);
    const expected = new RegExp(`another Darkroom \\(pid ${owner.pid}\\) is using DATA_DIR .*Stop it`);
    await expect(startRedisIn(dataDir)).rejects.toThrow(expected);
    expect(await queryRedis(owner.redis.path, (client) => client.ping())).toBe('PONG');
    await owner.finish();
    expect((await start(dataDir)).reused).toBe(false);
  });

  it('never lets two processes acquire one data folder, even if they start at the same moment', async () => {
    const dataDir = await temporaryFolder();
    // The claim of a dead owner gives every process something to take over.
    await mkdir(join(dataDir, 'redis'));
    await symlink('999999:0000000000000000:ffffffff', join(dataDir, 'redis', 'owner.1'));
    const owners = await Promise.allSettled([1, 2, 3].map(() => startRedisOwner(dataDir)));
    const refusals = owners.flatMap((owner) => (owner.status === 'rejected' ? [String(owner.reason)] : []));
    expect(refusals).toHaveLength(2);
    for (const refusal of refusals) expect(refusal).toMatch(/another Darkroom|several Darkrooms/);
    // The server must end before the folder is removed.
    for (const owner of owners) if (owner.status === 'fulfilled') await owner.value.finish();
  });
});

describe('a Redis server that fails to start', () => {
  it('reports the end of the log of a server that fails to start, and releases the data folder', async () => {
    const dataDir = await temporaryFolder();
    const first = await start(dataDir);
    await queryRedis(first.path, (client) => client.set('kept', 'yes'));
    await first.stop();
    const manifest = join(dataDir, 'redis', 'appendonlydir', 'appendonly.aof.manifest');
    const before = await readFile(manifest);
    await writeFile(manifest, 'not a manifest\n');
    const refused = startRedisIn(dataDir);
    await expect(refused).rejects.toThrow(/did not start \(exit code 1\)/);
    await expect(refused).rejects.toThrow(/Its log, .*redis\.log, ends with:\n(.*\n)*.*manifest/i);
    await writeFile(manifest, before);
    const second = await start(dataDir);
    expect(await queryRedis(second.path, (client) => client.get('kept'))).toBe('yes');
  });

  it('passes nothing of the environment of this process to the server', async () => {
    const [dataDir, folder] = [await temporaryFolder(), await temporaryFolder()];
    const binary = join(folder, 'redis-server');
    await writeFile(
      binary,
      '#!/bin/sh\n[ "$1" != --version ] || exec echo "Redis server v=7.0.0"\nenv\nexit 3\n',
    );
    await chmod(binary, 0o755);
    const started = startManagedRedis({ dataDir, cacheDir: folder, binary, log: () => undefined });
    await expect(started).rejects.toThrow(/did not start \(exit code 3\)/);
    const environment = await readFile(join(dataDir, 'redis', 'redis.log'), 'utf8');
    expect(environment).toContain('LC_ALL=C');
    expect(environment).not.toMatch(/VITEST|HOME=/);
    expect(readdirSync(join(dataDir, 'redis')).filter((name) => name.startsWith('owner'))).toEqual([]);
  });
});
