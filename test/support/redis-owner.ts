import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { isAlive, pidOf } from '../../src/local/redis/process-identity.ts';
import { readServerRecord } from '../../src/local/redis/server-record.ts';
import { compiledProgram } from './service-process.ts';

/** A process that runs a managed Redis. */
export interface RedisOwner {
  pid: number;
  redis: { pid: number; path: string; reused: boolean };
  /** Resolves with the next line of output. */
  nextLine(): Promise<string>;
  /** Sends a signal to the process and everything in its process group, as a terminal does for Ctrl-C. */
  signalGroup(signal: NodeJS.Signals): void;
  /** Ends the process with SIGKILL, so that it cannot clean up, and waits for its end. */
  kill9(): Promise<void>;
  /** Makes the process stop its Redis and end. */
  finish(): Promise<void>;
}

/** Starts a process with a managed Redis, which ends with the test. Rejects with the error of the process. */
export async function startRedisOwner(dataDir: string): Promise<RedisOwner> {
  const child = spawn(process.execPath, [compiledProgram('redis-owner-process'), dataDir], {
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
  const { error, ...redis } = JSON.parse((await nextLine()) || '{"error":"the owner ended without output"}');
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
 * Kills the owner and the guard of its server, so that the server continues alone. Resolves with the process identity of
 * the server, which ends with the test.
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
      // The process ended between the check and the kill.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await sleep(5);
  }
}
