import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Guard } from './guard.ts';
import { startGuard } from './guard.ts';
import { ManagedRedisError } from './managed-redis-error.ts';
import { isAlive, processIdentity } from './process-identity.ts';
import { queryServer } from './query-server.ts';
import type { RedisBinary } from './redis-binary.ts';
import { serverEnvironment } from './redis-binary.ts';
import { writeServerRecord } from './server-record.ts';

/** File paths of the server of one data folder. */
export interface ServerPaths {
  /** Real path of DATA_DIR/redis: the data, the log, the record and the claim. */
  redisDir: string;
  logPath: string;
  recordPath: string;
  socketPath: string;
}

/** A server that responds. */
export interface RunningServer {
  pid: number;
  socketPath: string;
  version: string;
  guard: Guard;
  /** Resolves with true once the server has ended, or with false after `timeoutMs`. */
  hasEnded(timeoutMs: number): Promise<boolean>;
  /** Resolves with the reason when a server that this process started ends. Never resolves for an adopted server. */
  ended: Promise<string>;
}

const startTimeoutMs = 120_000;

/**
 * Starts the server and resolves once it has loaded its data and replies to PING. The server listens on a unix socket
 * only, flushes its append-only file every second and never evicts. A guard ends it when this process ends.
 *
 * @throws ManagedRedisError with the end of the server's log if the server does not start.
 */
export async function startServer(binary: RedisBinary, paths: ServerPaths): Promise<RunningServer> {
  rmSync(paths.socketPath, { force: true });
  const logStart = existsSync(paths.logPath) ? statSync(paths.logPath).size : 0;
  // The guard starts first, so that the server is never without one.
  const guard = startGuard();
  const child = spawnServer(binary, paths);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const { pid } = child;
  if (pid !== undefined) {
    guard.watch(pid);
    recordServer(paths, pid, guard.pid);
  }
  const outcome = await Promise.race([ended, waitUntilReady(paths, ended)]);
  if (typeof outcome === 'string' || pid === undefined) {
    child.kill('SIGKILL');
    guard.dismiss();
    const why = typeof outcome === 'string' ? outcome : 'it could not be started';
    throw new ManagedRedisError(
      `${binary.path} did not start (${why}).\n${logTail(paths.logPath, logStart)}`,
    );
  }
  const { version } = outcome;
  const hasEnded = (timeoutMs: number) => resolvesWithin(ended, timeoutMs);
  return { pid, socketPath: paths.socketPath, version, guard, ended, hasEnded };
}

/** Adopts a server of an earlier process and starts a guard for it. */
export function adoptServer(
  paths: ServerPaths,
  { pid, identity, version }: { pid: number; identity: string; version: string },
): RunningServer {
  const guard = startGuard();
  guard.watch(pid);
  recordServer(paths, pid, guard.pid);
  const hasEnded = (timeoutMs: number) => waitUntilDead(identity, timeoutMs);
  return { pid, socketPath: paths.socketPath, version, guard, ended: new Promise(() => undefined), hasEnded };
}

/** Ends the process with SIGTERM, on which Redis writes its data, and with SIGKILL after 10 s. */
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
      // The process ended between the check and the signal.
    }
    if (await hasEnded(timeoutMs)) return;
  }
  throw new ManagedRedisError(`the redis-server with pid ${pid} does not end on SIGKILL`);
}

/** Resolves with true once the process is dead, or with false after `timeoutMs`. */
export async function waitUntilDead(identity: string, timeoutMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (isAlive(identity)) {
    if (performance.now() >= deadlineMs) return false;
    await sleep(20);
  }
  return true;
}

function spawnServer(binary: RedisBinary, paths: ServerPaths): ChildProcess {
  // Output goes to the log file too, because a refused setting is reported before the server opens its log.
  const output = openSync(paths.logPath, 'a', 0o600);
  try {
    const child = spawn(binary.path, serverArguments(paths), {
      cwd: '/',
      // In its own session the server does not receive Ctrl-C. Darkroom stops it last.
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

function serverArguments(paths: ServerPaths): string[] {
  const settings: Record<string, string> = {
    port: '0',
    unixsocket: paths.socketPath,
    unixsocketperm: '700',
    dir: paths.redisDir,
    logfile: paths.logPath,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

function recordServer(paths: ServerPaths, serverPid: number, guardPid: number): void {
  const server = processIdentity(serverPid);
  const guard = processIdentity(guardPid) ?? '';
  if (server !== undefined)
    writeServerRecord(paths.recordPath, { server, guard, socketPath: paths.socketPath });
}

/** Returns the server's reply, or the reason why there is none. Stops trying once the server has ended. */
async function waitUntilReady(
  paths: ServerPaths,
  ended: Promise<string>,
): Promise<{ version: string } | string> {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const deadlineMs = performance.now() + startTimeoutMs;
  while (!isOver && performance.now() < deadlineMs) {
    const response = existsSync(paths.socketPath)
      ? await queryServer(paths.socketPath, startTimeoutMs)
      : undefined;
    if (response) return response;
    await sleep(5);
  }
  return isOver ? ended : `no reply within ${startTimeoutMs / 1000} s`;
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
