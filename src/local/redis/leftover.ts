import { existsSync, rmSync } from 'node:fs';
import { ManagedRedisError } from './managed-redis-error.ts';
import { isAlive, pidOf } from './process-identity.ts';
import { queryServer } from './query-server.ts';
import type { RunningServer, ServerPaths } from './run.ts';
import { adoptServer, endProcess, waitUntilDead } from './run.ts';
import { readServerRecord, removeServerRecord } from './server-record.ts';

const queryTimeoutMs = 3000;
const guardTimeoutMs = 12_000;

/**
 * Cleans up after an earlier process. Afterwards either the returned server is running, or none is. The caller must hold
 * the claim on the data folder, so the earlier owner is known to be dead.
 *
 * A server whose guard is ending it is awaited. A server without a guard is adopted if it responds, otherwise ended.
 * Stale files are removed.
 *
 * @throws ManagedRedisError if a server responds that is not the recorded one.
 */
export async function adoptLeftover(
  paths: ServerPaths,
  log: (line: string) => void,
): Promise<RunningServer | undefined> {
  const record = readServerRecord(paths.recordPath);
  if (record && isAlive(record.server)) {
    const adopted = await adoptOrEnd({ ...paths, socketPath: record.socketPath }, record, log);
    if (adopted) return adopted;
  } else if (existsSync(paths.socketPath)) {
    await refuseUnknownServer(paths);
  }
  removeServerRecord(paths.recordPath);
  rmSync(paths.socketPath, { force: true });
  return undefined;
}

async function adoptOrEnd(
  paths: ServerPaths,
  record: { server: string; guard: string },
  log: (line: string) => void,
): Promise<RunningServer | undefined> {
  const pid = pidOf(record.server);
  // The owner is dead, so a living guard is ending the server now.
  const isGuarded = isAlive(record.guard);
  if (isGuarded) log(`waiting for the redis-server (pid ${pid}) of an earlier start to end`);
  if (isGuarded && (await waitUntilDead(record.server, guardTimeoutMs))) return undefined;
  const response = isGuarded ? undefined : await queryServer(paths.socketPath, queryTimeoutMs);
  if (response && response.pid === pid && response.dir === paths.redisDir) {
    log(`reusing the redis-server (pid ${pid}) of an earlier start`);
    return adoptServer(paths, { pid, identity: record.server, version: response.version });
  }
  log(`ending the redis-server (pid ${pid}) of an earlier start, because it does not respond`);
  await endProcess(pid, (timeoutMs) => waitUntilDead(record.server, timeoutMs));
  return undefined;
}

/** Rejects if an unrecorded server responds on the socket, because a second server would corrupt its files. */
async function refuseUnknownServer(paths: ServerPaths): Promise<void> {
  const response = await queryServer(paths.socketPath, queryTimeoutMs);
  if (!response) return;
  throw new ManagedRedisError(
    `a redis-server that Darkroom did not start (pid ${response.pid}) already serves ${paths.socketPath}. ` +
      'End it, or set another DATA_DIR.',
  );
}
