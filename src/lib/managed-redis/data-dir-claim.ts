import { randomBytes } from 'node:crypto';
import { readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { ManagedRedisError } from './managed-redis-error.ts';
import { isAlive, pidOf, processIdentity } from './process-identity.ts';

/** The right to run the one Redis of a data folder. */
export interface DataDirClaim {
  /** Gives the right back. Does nothing if it has passed to somebody else. */
  release(): void;
}

/**
 * Claims a data folder for this process, atomically among processes of this machine. The claim is a symbolic
 * link at `path` whose target names its owner: making one fails if it exists, and target and link appear
 * together. A claim whose owner has ended, however it ended, is taken over. Throws ManagedRedisError naming
 * the pid while the owner lives.
 */
export function claimDataDir(path: string, dataDir: string): DataDirClaim {
  const self = processIdentity(process.pid) ?? `${process.pid}:unknown`;
  const mine = `${self}:${randomBytes(4).toString('hex')}`;
  // Each round either claims, throws, or has removed a dead owner's link. Many rounds mean many starters at once.
  for (let round = 0; round < 20; round += 1) {
    if (tryLink(mine, path)) return { release: () => void removeIf(path, mine) };
    const theirs = tryReadLink(path);
    if (theirs === undefined) continue;
    const owner = theirs.slice(0, theirs.lastIndexOf(':'));
    if (isAlive(owner)) throw inUse(pidOf(owner), dataDir);
    removeIf(path, theirs);
  }
  throw new ManagedRedisError(`several Darkrooms are starting on DATA_DIR ${dataDir} at once: start one`);
}

function inUse(pid: number, dataDir: string): ManagedRedisError {
  return new ManagedRedisError(
    `another Darkroom (pid ${pid}) is using DATA_DIR ${dataDir}: stop it first, or give this one a DATA_DIR of its own`,
  );
}

/** Removes the link if it still says `target`, so that of two who found a dead owner one cannot remove the other's. */
function removeIf(path: string, target: string): void {
  if (tryReadLink(path) !== target) return;
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = tryReadLink(aside);
  // Between reading and moving somebody else may have claimed: theirs goes back.
  if (moved !== undefined && moved !== target) tryLink(moved, path);
  rmSync(aside, { force: true });
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
