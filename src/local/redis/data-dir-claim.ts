import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ManagedRedisError } from './managed-redis-error.ts';
import { isAlive, pidOf, processIdentity } from './process-identity.ts';

/** Exclusive right to run the Redis of a data folder. */
export interface DataDirClaim {
  release(): void;
}

/**
 * Claims a data folder for this process, atomically among processes of this machine.
 *
 * A claim is a symbolic link, named `path` and a number, whose target names its owner. Creating an existing link fails,
 * and link and target appear together. The highest number is valid. The claim of a dead owner is superseded by the next
 * number before it is removed, so only one of several starting processes succeeds.
 *
 * @throws ManagedRedisError naming the pid if the owner is alive.
 */
export function claimDataDir(path: string, dataDir: string): DataDirClaim {
  const self = processIdentity(process.pid) ?? `${process.pid}:unknown`;
  const mine = `${self}:${randomBytes(4).toString('hex')}`;
  // A round without success or error was overtaken by another starting process.
  for (let round = 0; round < 20; round += 1) {
    const last = claimsAt(path).at(-1);
    const theirs = last && tryReadLink(last.path);
    const owner = theirs?.slice(0, theirs.lastIndexOf(':'));
    if (owner !== undefined && isAlive(owner)) throw inUse(pidOf(owner), dataDir);
    const next = `${path}.${(last?.no ?? 0) + 1}`;
    if (!tryLink(mine, next)) continue;
    const claims = claimsAt(path);
    // Another process may have created a higher number since the first look.
    if (claims.at(-1)?.path !== next) {
      rmSync(next, { force: true });
      continue;
    }
    for (const superseded of claims.slice(0, -1)) rmSync(superseded.path, { force: true });
    return { release: () => rmSync(next, { force: true }) };
  }
  throw new ManagedRedisError(
    `several Darkrooms are starting on DATA_DIR ${dataDir} at the same time. Start only one.`,
  );
}

/** Returns all claims in ascending order. */
function claimsAt(path: string): { no: number; path: string }[] {
  const prefix = `${basename(path)}.`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^[0-9]{1,9}$/.test(name.slice(prefix.length)))
    .map((name) => ({ no: Number(name.slice(prefix.length)), path: join(dirname(path), name) }))
    .sort((a, b) => a.no - b.no);
}

function inUse(pid: number, dataDir: string): ManagedRedisError {
  return new ManagedRedisError(
    `another Darkroom (pid ${pid}) is using DATA_DIR ${dataDir}. Stop it first, or set another DATA_DIR.`,
  );
}

function tryLink(target: string, path: string): boolean {
  try {
    symlinkSync(target, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function tryReadLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
