import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { isAlive, pidOf } from '../../src/local/redis/process-identity.ts';
import { readServerRecord } from '../../src/local/redis/server-record.ts';

/** Another process that runs a managed Redis. */
export interface RedisOwner {
  pid: number;
  redis: { pid: number; path: string; reused: boolean };
  /** The next line the process prints. */
  nextLine(): Promise<string>;
  /** Sends a signal to the process and everything in its process group, as a terminal does for Ctrl-C. */
  signalGroup(signal: NodeJS.Signals): void;
  /** Ends the process with SIGKILL, so that it cannot clean up, and waits for that. */
  kill9(): Promise<void>;
  /** Lets the process stop its Redis and end. */
  finish(): Promise<void>;
}

/** Starts a managed Redis in a process of its own, which is ended with the test. Rejects with its error. */
export async function startRedisOwner(dataDir: string): Promise<RedisOwner> {
  const program = join(import.meta.dirname, 'redis-owner-process.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, dataDir], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill9 = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill9);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const nextLine = async () => String((await lines.next()).value ?? '');
  const { error, ...redis } = JSON.parse((await nextLine()) || '{"error":"the owner ended without a word"}');
  const { pid } = child;
  if (error !== undefined || pid === undefined) throw new Error(error);
  return {
    pid,
    redis,
    nextLine,
    kill9,
    signalGroup: (signal) => process.kill(-pid, signal),
    async finish() {
      child.stdin.end();
      await ended;
    },
  };
}

/**
 * Kills the owner and the guard of its server, so that the server lives on alone. Resolves with the server's
 * process identity; it is ended with the test.
 */
export async function orphanServer(owner: RedisOwner, dataDir: string): Promise<string> {
  const record = readServerRecord(join(dataDir, 'redis', 'server.json'));
  if (!record) throw new Error('the owner left no record');
  await endWithSigkill(record.guard);
  await owner.kill9();
  onTestFinished(() => endWithSigkill(record.server));
  return record.server;
}

async function endWithSigkill(identity: string): Promise<void> {
  while (isAlive(identity)) {
    try {
      process.kill(pidOf(identity), 'SIGKILL');
    } catch (error) {
      // It ended between the question and the kill.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await sleep(5);
  }
}
