import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ManagedRedisError } from './managed-redis-error.ts';
import { isAlive, pidOf, processIdentity } from './process-identity.ts';

/** The right to run the one Redis of a data folder. */
export interface DataDirClaim {
  /** Gives the right back. */
  release(): void;
}

/**
 * Claims a data folder for this process, atomically among processes of this machine. A claim is a symbolic link, named
 * `path` and a number, whose target names its owner: making one fails if it exists, and target and link appear together.
 * The highest number counts. A claim whose owner has ended, however it ended, is outnumbered and never removed first, so
 * that of several who find it only one gets the next number.
 *
 * @throws ManagedRedisError naming the pid while the owner lives.
 */
export function claimDataDir(path: string, dataDir: string): DataDirClaim {
  const self = processIdentity(process.pid) ?? `${process.pid}:unknown`;
  const mine = `${self}:${randomBytes(4).toString('hex')}`;
  // Each round claims, throws, or was overtaken by another starter. Many rounds mean many of them at once.
  for (let round = 0; round < 20; round += 1) {
    const last = claimsAt(path).at(-1);
    const theirs = last && tryReadLink(last.path);
    const owner = theirs?.slice(0, theirs.lastIndexOf(':'));
    if (owner !== undefined && isAlive(owner)) throw inUse(pidOf(owner), dataDir);
    const next = `${path}.${(last?.no ?? 0) + 1}`;
    if (!tryLink(mine, next)) continue;
    const claims = claimsAt(path);
    // What was seen before may have been long ago: somebody may have got further since.
    if (claims.at(-1)?.path !== next) {
      rmSync(next, { force: true });
      continue;
    }
    for (const outnumbered of claims.slice(0, -1)) rmSync(outnumbered.path, { force: true });
    return { release: () => rmSync(next, { force: true }) };
  }
  throw new ManagedRedisError(`several Darkrooms are starting on DATA_DIR ${dataDir} at once: start one`);
}

/** All claims, the lowest number first. */
function claimsAt(path: string): { no: number; path: string }[] {
  const prefix = `${basename(path)}.`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^[0-9]{1,9}$/.test(name.slice(prefix.length)))
    .map((name) => ({ no: Number(name.slice(prefix.length)), path: join(dirname(path), name) }))
    .sort((a, b) => a.no - b.no);
}

function inUse(pid: number, dataDir: string): ManagedRedisError {
  return new ManagedRedisError(
    `another Darkroom (pid ${pid}) is using DATA_DIR ${dataDir}: stop it first, or give this one a DATA_DIR of its own`,
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
