import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ManagedRedisError } from './managed-redis-error.ts';

/** The kernel's limit is 107 bytes on Linux and 103 on macOS. */
export const maxSocketPathBytes = 100;

/** The socket's place if it lies next to the data. */
export function socketPathInside(redisDir: string): string {
  return join(redisDir, 'redis.sock');
}

/** The socket's place elsewhere: short, and always the same for the same data folder and user. */
export function socketPathOutside(redisDir: string, tmpDir: string, uid: number): string {
  const name = createHash('sha256').update(`${uid}\0${redisDir}`).digest('hex').slice(0, 16);
  const path = join(tmpDir, `darkroom-${name}`, 'redis.sock');
  return isShort(path) ? path : join('/tmp', `darkroom-${name}`, 'redis.sock');
}

/**
 * The folder of the server's files as a real path, on which the socket's place depends: a data folder may be reached
 * through links. Rejects when it is not there.
 */
export function redisDirOf(dataDir: string): Promise<string> {
  return realpath(join(dataDir, 'redis'));
}

/**
 * Chooses where the server's unix socket goes: into `redisDir`, or, when that path is too long or its file
 * system has no sockets (shared folders of virtual machines), into a folder of this user alone below the
 * temporary folder. `redisDir` is a real path. The folder is made. Throws ManagedRedisError if somebody
 * else's folder is in the way.
 */
export async function chooseSocketPath(redisDir: string): Promise<string> {
  const { inside, outside } = socketPlaces(redisDir);
  // The trial's name is as long as the real one, so it also tells of a smaller limit.
  if (isShort(inside) && (await canListenIn(redisDir))) return inside;
  const folder = dirname(outside);
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await refuseForeignFolder(folder);
  return outside;
}

/**
 * The socket of a server that runs on a data folder, or undefined where there is none. Makes nothing. Throws
 * ManagedRedisError if it would be in somebody else's folder.
 */
export async function findSocketPath(dataDir: string): Promise<string | undefined> {
  const redisDir = await redisDirOf(dataDir).catch(() => undefined);
  if (redisDir === undefined) return undefined;
  const { inside, outside } = socketPlaces(redisDir);
  if (existsSync(inside)) return inside;
  if (!existsSync(outside)) return undefined;
  await refuseForeignFolder(dirname(outside));
  return outside;
}

function socketPlaces(redisDir: string): { inside: string; outside: string } {
  return { inside: socketPathInside(redisDir), outside: socketPathOutside(redisDir, tmpdir(), ownUid()) };
}

function ownUid(): number {
  return process.getuid?.() ?? 0;
}

function isShort(path: string): boolean {
  return Buffer.byteLength(path) <= maxSocketPathBytes;
}

async function canListenIn(folder: string): Promise<boolean> {
  const trial = join(folder, `${randomBytes(3).toString('hex')}.tmp`);
  const listened = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(trial, () => server.close(() => resolve(true)));
  });
  await rm(trial, { force: true });
  return listened;
}

async function refuseForeignFolder(folder: string): Promise<void> {
  // The temporary folder is everybody's: a folder prepared by another user could be a trap.
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== ownUid() || (found.mode & 0o077) !== 0) {
    throw new ManagedRedisError(
      `${folder} is not a folder of this user alone (mode 700): remove it, or use a DATA_DIR with a shorter path`,
    );
  }
}
