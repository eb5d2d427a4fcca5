import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryServer } from './ask-server.ts';
import type { Guard } from './guard.ts';
import { startGuard } from './guard.ts';
import { ManagedRedisError } from './managed-redis-error.ts';
import { isAlive, processIdentity } from './process-identity.ts';
import type { RedisBinary } from './redis-binary.ts';
import { serverEnvironment } from './redis-binary.ts';
import { writeServerRecord } from './server-record.ts';

/** Where one data folder's server keeps everything. */
export interface ServerPaths {
  /** Real path of DATA_DIR/redis: the data, the log, the record and the claim. */
  redisDir: string;
  logPath: string;
  recordPath: string;
  socketPath: string;
}

/** A server that answers, and what ends it. */
export interface RunningServer {
  pid: number;
  socketPath: string;
  version: string;
  guard: Guard;
  /** Resolves when the server has ended; for an adopted server only looked at while it is awaited. */
  hasEnded(timeoutMs: number): Promise<boolean>;
  /** Resolves when a server started here ends, with how. Never for an adopted one. */
  ended: Promise<string>;
}

const startTimeoutMs = 120_000;

/**
 * Starts the server on the place's socket and resolves once it has loaded its data and answers PING. It
 * listens on no port, flushes its append-only file every second and never evicts. A guard ends it with this
 * process. Throws ManagedRedisError, with the end of the server's log, when it does not come up.
 */
export async function startServer(binary: RedisBinary, place: ServerPaths): Promise<RunningServer> {
  rmSync(place.socketPath, { force: true });
  const logStart = existsSync(place.logPath) ? statSync(place.logPath).size : 0;
  // The guard first: from its start to the server's there is no moment in which an end would leave an orphan.
  const guard = startGuard();
  const child = spawnServer(binary, place);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const { pid } = child;
  if (pid !== undefined) {
    guard.watch(pid);
    recordServer(place, pid, guard.pid);
  }
  const outcome = await Promise.race([ended, waitUntilReady(place, ended)]);
  if (typeof outcome === 'string' || pid === undefined) {
    child.kill('SIGKILL');
    guard.dismiss();
    const why = typeof outcome === 'string' ? outcome : 'it could not be started';
    throw new ManagedRedisError(
      `${binary.path} did not come up (${why}).\n${logTail(place.logPath, logStart)}`,
    );
  }
  const { version } = outcome;
  const hasEnded = (timeoutMs: number) => resolvesWithin(ended, timeoutMs);
  return { pid, socketPath: place.socketPath, version, guard, ended, hasEnded };
}

/** Takes over a server that an earlier process left running, and guards it. */
export function adoptServer(
  place: ServerPaths,
  pid: number,
  identity: string,
  version: string,
): RunningServer {
  const guard = startGuard();
  guard.watch(pid);
  recordServer(place, pid, guard.pid);
  const hasEnded = (timeoutMs: number) => waitUntilDead(identity, timeoutMs);
  return { pid, socketPath: place.socketPath, version, guard, ended: new Promise(() => undefined), hasEnded };
}

/** Ends the process named by `pid`: SIGTERM, which lets Redis write everything, and SIGKILL after 10 s. */
export async function endProcess(
  pid: number,
  hasEnded: (timeoutMs: number) => Promise<boolean>,
): Promise<void> {
  for (const [signal, timeoutMs] of [
    ['SIGTERM', 10_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (await hasEnded(0)) return;
    try {
      process.kill(pid, signal);
    } catch {
      // It ended in between.
    }
    if (await hasEnded(timeoutMs)) return;
  }
  throw new ManagedRedisError(`the redis-server with pid ${pid} does not end, not even by SIGKILL`);
}

/** Resolves with true once the process is gone, with false after `timeoutMs`. */
export async function waitUntilDead(identity: string, timeoutMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (isAlive(identity)) {
    if (performance.now() >= deadlineMs) return false;
    await sleep(20);
  }
  return true;
}

function spawnServer(binary: RedisBinary, place: ServerPaths): ChildProcess {
  // What the server says before it has opened its log, such as a setting it refuses, goes there too.
  const output = openSync(place.logPath, 'a', 0o600);
  try {
    const child = spawn(binary.path, serverArguments(place), {
      cwd: '/',
      // A session of its own: Ctrl-C must reach Darkroom alone, which stops the server last.
      detached: true,
      stdio: ['ignore', output, output],
      env: serverEnvironment(binary.libraryPath),
    });
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

function serverArguments(place: ServerPaths): string[] {
  const settings: Record<string, string> = {
    port: '0',
    unixsocket: place.socketPath,
    unixsocketperm: '700',
    dir: place.redisDir,
    logfile: place.logPath,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

function recordServer(place: ServerPaths, serverPid: number, guardPid: number): void {
  const server = processIdentity(serverPid);
  const guard = processIdentity(guardPid) ?? '';
  if (server !== undefined)
    writeServerRecord(place.recordPath, { server, guard, socketPath: place.socketPath });
}

/** The server's answer, or why there is none. Stops trying when the server has ended. */
async function waitUntilReady(
  place: ServerPaths,
  ended: Promise<string>,
): Promise<{ version: string } | string> {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const deadlineMs = performance.now() + startTimeoutMs;
  while (!isOver && performance.now() < deadlineMs) {
    const response = existsSync(place.socketPath)
      ? await queryServer(place.socketPath, startTimeoutMs)
      : undefined;
    if (response) return response;
    await sleep(5);
  }
  return isOver ? ended : `no answer within ${startTimeoutMs / 1000} s`;
}

function resolvesWithin(event: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    void event.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function logTail(logPath: string, startBytes: number): string {
  const text = existsSync(logPath) ? readFileSync(logPath).subarray(startBytes).toString('utf8') : '';
  const lines = text.trim().split('\n').slice(-6);
  return `Its log, ${logPath}, ends with:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
