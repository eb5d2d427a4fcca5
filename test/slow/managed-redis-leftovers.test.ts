import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRedis } from '../../src/lib/redis/redis.ts';
import { isAlive, pidOf, processIdentity } from '../../src/local/redis/process-identity.ts';
import { queryRedis, startRedisIn } from '../support/redis.ts';
import { orphanServer, startRedisOwner } from '../support/redis-owner.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function start(dataDir: string, log?: (line: string) => void) {
  const redis = await startRedisIn(dataDir, log);
  onTestFinished(() => redis.stop());
  return redis;
}

/** Creates a folder with a running Redis of another process that holds a key. */
async function ownedFolder() {
  const dataDir = await temporaryFolder();
  const owner = await startRedisOwner(dataDir);
  await queryRedis(owner.redis.path, (client) => client.set('kept', 'yes'));
  return { dataDir, owner };
}

const keptKey = (path: string) => queryRedis(path, (client) => client.get('kept'));
const withRetry = { timeout: 20_000 };

describe('the Redis server of an owner that was killed with SIGKILL', () => {
  it('ends the server of a killed owner without help, and the next start finds the data', async () => {
    const { dataDir, owner } = await ownedFolder();
    const server = processIdentity(owner.redis.pid) ?? 'none';
    expect(isAlive(server)).toBe(true);
    await owner.kill9();
    await expect.poll(() => isAlive(server), withRetry).toBe(false);
    const redis = await start(dataDir);
    expect(redis.reused).toBe(false);
    expect(await keptKey(redis.path)).toBe('yes');
  });

  it('delays a start while the server of a killed owner is still ending', async () => {
    const { dataDir, owner } = await ownedFolder();
    const server = processIdentity(owner.redis.pid) ?? 'none';
    await owner.kill9();
    const redis = await start(dataDir);
    expect(isAlive(server)).toBe(false);
    expect(redis.pid).not.toBe(pidOf(server));
    expect(await keptKey(redis.path)).toBe('yes');
  });

  it('reuses the server of a killed owner if its guard was killed too, and then stops it like any other', async () => {
    const { dataDir, owner } = await ownedFolder();
    const server = await orphanServer(owner, dataDir);
    expect(isAlive(server)).toBe(true);
    const redis = await start(dataDir);
    expect(redis).toMatchObject({ reused: true, pid: owner.redis.pid, path: owner.redis.path });
    expect(await keptKey(redis.path)).toBe('yes');
    await redis.stop();
    expect(isAlive(server)).toBe(false);
    expect(await keptKey((await start(dataDir)).path)).toBe('yes');
  });

  it('ends a reused server when the process that reused it ends', async () => {
    const { dataDir, owner } = await ownedFolder();
    const server = await orphanServer(owner, dataDir);
    const second = await startRedisOwner(dataDir);
    expect(second.redis).toMatchObject({ reused: true, pid: pidOf(server) });
    await second.kill9();
    await expect.poll(() => isAlive(server), withRetry).toBe(false);
  });

  it('ends and replaces a leftover server that does not respond on its socket', async () => {
    const { dataDir, owner } = await ownedFolder();
    const server = await orphanServer(owner, dataDir);
    await rm(owner.redis.path);
    const lines: string[] = [];
    const redis = await start(dataDir, (line) => lines.push(line));
    expect(isAlive(server)).toBe(false);
    expect(redis.reused).toBe(false);
    expect(await keptKey(redis.path)).toBe('yes');
    expect(lines.join('\n')).toMatch(/of an earlier start, because it does not respond/);
  });

  it('leaves a server that no record identifies as managed, and starts no second one', async () => {
    const { dataDir, owner } = await ownedFolder();
    const server = await orphanServer(owner, dataDir);
    await rm(join(dataDir, 'redis', 'server.json'));
    await expect(startRedisIn(dataDir)).rejects.toThrow(/did not start .*already serves/);
    expect(isAlive(server)).toBe(true);
  });
});

describe('the remains of an earlier start', () => {
  it('removes the remains of an earlier start, even if other processes now use the recorded pids', async () => {
    const dataDir = await temporaryFolder();
    const redisDir = join(dataDir, 'redis');
    await mkdir(redisDir);
    const earlier = `${process.pid}:0000000000000000`;
    await symlink(`${earlier}:ffffffff`, join(redisDir, 'owner.1'));
    const record = { server: earlier, guard: earlier, socketPath: join(redisDir, 'redis.sock') };
    await writeFile(join(redisDir, 'server.json'), JSON.stringify(record));
    await leaveDeadSocket(join(redisDir, 'redis.sock'));
    const redis = await start(dataDir);
    expect(await queryRedis(redis.path, (client) => client.ping())).toBe('PONG');
  });

  it('starts despite unreadable remains of an earlier start', async () => {
    const dataDir = await temporaryFolder();
    await mkdir(join(dataDir, 'redis'));
    await writeFile(join(dataDir, 'redis', 'server.json'), '{"server":');
    const redis = await start(dataDir);
    expect(await queryRedis(redis.path, (client) => client.ping())).toBe('PONG');
  });

  async function leaveDeadSocket(path: string): Promise<void> {
    const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    await new Promise((resolve) => spawn(process.execPath, ['-e', script, path]).once('exit', resolve));
    expect(existsSync(path)).toBe(true);
  }
});

describe('Ctrl-C', () => {
  it('delivers Ctrl-C to the owner but neither server nor guard, so that the owner stops the server last', async () => {
    const { owner } = await ownedFolder();
    const client = createRedis(owner.redis.path, { onError: () => undefined });
    onTestFinished(() => client.disconnect());
    await client.ping();
    let wasClosed = false;
    client.once('close', () => {
      wasClosed = true;
    });
    owner.signalGroup('SIGINT');
    expect(await owner.nextLine()).toBe('SIGINT');
    expect(await client.get('kept')).toBe('yes');
    expect(wasClosed).toBe(false);
    const log = join(dirname(owner.redis.path), 'redis.log');
    await owner.finish();
    expect(await readFile(log, 'utf8')).toMatch(/Received SIGTERM/);
    expect(await readFile(log, 'utf8')).not.toMatch(/Received SIGINT/);
  });
});
