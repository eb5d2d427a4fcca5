import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ManagedRedisError } from './managed-redis-error.ts';

/** Maximum length of a socket path in bytes. The kernel's limit is 107 on Linux and 103 on macOS. */
export const maxSocketPathBytes = 100;

/** Returns the socket path next to the data. */
export function socketPathInside(redisDir: string): string {
  return join(redisDir, 'redis.sock');
}

/** Returns the socket path outside the data folder: short, and always the same for the same data folder and user. */
export function socketPathOutside(redisDir: string, tmpDir: string, uid: number): string {
  const name = createHash('sha256').update(`${uid}\0${redisDir}`).digest('hex').slice(0, 16);
  const path = join(tmpDir, `darkroom-${name}`, 'redis.sock');
  return isShort(path) ? path : join('/tmp', `darkroom-${name}`, 'redis.sock');
}

/**
 * Returns the real path of the folder with the server's files. The socket path depends on it, because a data folder may
 * be reached through links. Rejects if the folder does not exist.
 */
export function redisDirOf(dataDir: string): Promise<string> {
  return realpath(join(dataDir, 'redis'));
}

/**
 * Chooses the path of the server's unix socket and creates its folder: `redisDir` (a real path), or a private folder
 * below the temporary folder. The second is used if the path is too long or the file system has no sockets, as shared
 * folders of virtual machines.
 *
 * @throws ManagedRedisError if the private folder belongs to another user.
 */
export async function chooseSocketPath(redisDir: string): Promise<string> {
  const { inside, outside } = socketPaths(redisDir);
  // The trial socket has a name of the same length, so it also detects a smaller limit.
  if (isShort(inside) && (await canListenIn(redisDir))) return inside;
  const folder = dirname(outside);
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await refuseForeignFolder(folder);
  return outside;
}

/**
 * Returns the socket of a server that runs on a data folder, or undefined if there is none. Creates nothing.
 *
 * @throws ManagedRedisError if its folder belongs to another user.
 */
export async function findSocketPath(dataDir: string): Promise<string | undefined> {
  const redisDir = await redisDirOf(dataDir).catch(() => undefined);
  if (redisDir === undefined) return undefined;
  const { inside, outside } = socketPaths(redisDir);
  if (existsSync(inside)) return inside;
  if (!existsSync(outside)) return undefined;
  await refuseForeignFolder(dirname(outside));
  return outside;
}

function socketPaths(redisDir: string): { inside: string; outside: string } {
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
  // Every user can write to the temporary folder, so another user could have prepared this one.
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== ownUid() || (found.mode & 0o077) !== 0) {
    throw new ManagedRedisError(
      `${folder} is not a private folder of this user (mode 700). Remove it, or set a DATA_DIR with a shorter path.`,
    );
  }
}
