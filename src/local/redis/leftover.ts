import { existsSync, rmSync } from 'node:fs';
import { queryServer } from './ask-server.ts';
import { ManagedRedisError } from './managed-redis-error.ts';
import { isAlive, pidOf } from './process-identity.ts';
import type { RunningServer, ServerPaths } from './run.ts';
import { adoptServer, endProcess, waitUntilDead } from './run.ts';
import { readServerRecord, removeServerRecord } from './server-record.ts';

const queryTimeoutMs = 3000;
const guardTimeoutMs = 12_000;

/**
 * Deals with what an earlier process left in the place, so that afterwards either the server returned is
 * running or none is. To be called with the data folder claimed, when its last owner is known to be gone:
 * a server whose guard is at work is waited for; one without a guard that answers is adopted; one that does
 * not answer is ended; stale files are removed.
 * Throws ManagedRedisError when a server answers that cannot be told to be the recorded one.
 */
export async function adoptLeftover(
  place: ServerPaths,
  log: (line: string) => void,
): Promise<RunningServer | undefined> {
  const record = readServerRecord(place.recordPath);
  if (record && isAlive(record.server)) {
    const adopted = await settleAlive({ ...place, socketPath: record.socketPath }, record, log);
    if (adopted) return adopted;
  } else if (existsSync(place.socketPath)) {
    await refuseStranger(place);
  }
  removeServerRecord(place.recordPath);
  rmSync(place.socketPath, { force: true });
  return undefined;
}

async function settleAlive(
  place: ServerPaths,
  record: { server: string; guard: string },
  log: (line: string) => void,
): Promise<RunningServer | undefined> {
  const pid = pidOf(record.server);
  // A living guard has seen its owner go and is ending the server this moment.
  const isGuarded = isAlive(record.guard);
  if (isGuarded) log(`waiting for the redis-server (pid ${pid}) of an earlier start to end`);
  if (isGuarded && (await waitUntilDead(record.server, guardTimeoutMs))) return undefined;
  const response = isGuarded ? undefined : await queryServer(place.socketPath, queryTimeoutMs);
  if (response && response.pid === pid && response.dir === place.redisDir) {
    log(`a redis-server (pid ${pid}) left running by an earlier start is used again`);
    return adoptServer(place, pid, record.server, response.version);
  }
  log(`a redis-server (pid ${pid}) left behind by an earlier start does not answer: ending it`);
  await endProcess(pid, (timeoutMs) => waitUntilDead(record.server, timeoutMs));
  return undefined;
}

/** A second server on the same files would ruin them, so one that only the socket knows of is left alone. */
async function refuseStranger(place: ServerPaths): Promise<void> {
  const response = await queryServer(place.socketPath, queryTimeoutMs);
  if (!response) return;
  throw new ManagedRedisError(
    `a redis-server that this Darkroom did not start (it calls itself pid ${response.pid}) already serves ` +
      `${place.socketPath}: end it, or use another DATA_DIR`,
  );
}
