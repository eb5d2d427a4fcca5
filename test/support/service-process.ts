import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { type Caller, createCaller } from './caller.ts';
import { testKeys } from './service-environment.ts';

const program = join(import.meta.dirname, '../../src/main.ts');
// As an address, because the processes do not run in the folder of the project.
const loader = import.meta.resolve('tsx');

/** The arguments with which Node runs the command line from its sources, whatever the working folder is. */
export const programArguments: readonly string[] = ['--import', loader, pathToFileURL(program).pathname];

/** What every process needs of the environment of the tests. */
export function systemEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'REDIS_SERVER_BIN'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The service as a process of its own. */
export interface ServiceProcess {
  readonly pid: number;
  readonly url: string;
  /** Calls it as the tenant `acme`. */
  readonly acme: Caller;
  /** The lines of its log so far. */
  readonly log: readonly string[];
  readonly ended: Promise<ProcessEnd>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<ProcessEnd>;
}

/**
 * Starts `darkroom serve` and resolves once it listens. Rejects with what it printed when it ends before.
 *
 * @param env all variables it gets, besides the few every process needs.
 */
export async function startServiceProcess(env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [...programArguments, 'serve'], {
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
