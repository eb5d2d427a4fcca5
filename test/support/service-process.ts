import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inject } from 'vitest';
import { type Caller, createCaller } from './caller.ts';
import { testKeys } from './service-environment.ts';

/** Returns the path of a compiled program of the service or of a test, for example `main`. */
export function compiledProgram(name: string): string {
  return join(inject('serviceFolder'), `${name}.js`);
}

/** Returns the few variables of this process that every child process needs. */
export function systemEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'REDIS_SERVER_BIN'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Exit code or signal of an ended process. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that runs `darkroom serve`. */
export interface ServiceProcess {
  readonly pid: number;
  readonly url: string;
  /** Calls the process as the tenant `acme`. */
  readonly acme: Caller;
  /** Lines of the log so far. */
  readonly log: readonly string[];
  readonly ended: Promise<ProcessEnd>;
  /** Sends a signal and waits for the end of the process. */
  stop(signal?: NodeJS.Signals): Promise<ProcessEnd>;
}

/**
 * Starts `darkroom serve` and resolves when the process listens. Rejects with the output if the process ends earlier.
 *
 * @param env all variables of the process besides those of `systemEnvironment`.
 */
export async function startServiceProcess(env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [compiledProgram('main'), 'serve'], {
    cwd: env.DATA_DIR,
    env: { ...systemEnvironment(), ...env, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  const ended = endOf(child);
  const listening = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        log.push(line);
        const address = /"address":"(http:[^"]+)".*"msg":"listening"/.exec(line)?.[1];
        if (address) resolve(address);
      });
    }
  });
  const failed = ended.then((end) => {
    throw new Error(`the service ended (${end.code ?? end.signal}) before it listened:\n${log.join('\n')}`);
  });
  const url = (await Promise.race([listening, failed])).replace('localhost', '127.0.0.1');
  return {
    pid: child.pid ?? 0,
    url,
    acme: createCaller(url, testKeys.acme),
    log,
    ended,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

/** Resolves when a process has ended. */
export function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}
