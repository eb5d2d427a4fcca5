import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Usage } from './probe.ts';
import type { Query, QueryReply } from './queries.ts';

/** A process under test, or a process that the test needs. */
export interface Child {
  /** Address on which the process listens, if it listens. */
  readonly url: string;
  usage(): Promise<Usage>;
  /** Sends a query that the process handles with `handleQueries`. */
  query<T>(name: string, value?: number): Promise<T>;
  /** Ends the process and waits for its exit. May be called more than once. */
  stop(): Promise<void>;
}

interface Program {
  /** Path of the module, relative to the compiled `bench` folder. */
  readonly module: string;
  readonly args?: readonly string[];
  /** The whole environment of the process, besides PATH, HOME and the temporary folder. */
  readonly env: Readonly<Record<string, string>>;
  /** URL that is polled until it responds with 200. Without a URL the process reports its own start. */
  readonly readyUrl?: string;
}

const startLimitMs = 120_000;
const endLimitMs = 10_000;
const probe = new URL('./probe.js', import.meta.url).href;

/**
 * Starts a program in a separate process. Resolves when the process is ready. @throws Error if it is not ready within
 * two minutes.
 */
export async function startChild(program: Program): Promise<Child> {
  const script = fileURLToPath(new URL(`../${program.module}`, import.meta.url));
  const child = spawn(
    process.execPath,
    [...process.execArgv, '--import', probe, script, ...(program.args ?? [])],
    {
      env: { ...basicEnvironment(), NODE_ENV: 'production', NODE_NO_WARNINGS: '1', ...program.env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = () => endChild(child, ended);
  try {
    const url = await untilReady(ready(child, program), { name: program.module, ended });
    return { url, ...conversation(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The measured process must not see variables of the shell, such as keys and addresses of other programs. */
function basicEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR };
}

async function ready(child: ChildProcess, { readyUrl }: Program): Promise<string> {
  if (readyUrl === undefined) {
    const [message] = (await once(child, 'message')) as [{ ready: number }];
    return `http://127.0.0.1:${message.ready}`;
  }
  while (child.exitCode === null) {
    const response = await fetch(readyUrl).catch(() => null);
    await response?.arrayBuffer();
    if (response?.ok) break;
    await sleep(20);
  }
  return new URL(readyUrl).origin;
}

/** Resolves with the result of `work`. @throws Error if the program ends first or exceeds the start limit. */
async function untilReady<T>(
  work: Promise<T>,
  { name, ended }: { name: string; ended: Promise<void> },
): Promise<T> {
  const timeout = new AbortController();
  try {
    return await Promise.race([
      work,
      ended.then(() => Promise.reject(new Error(`${name} ended while it was started`))),
      sleep(startLimitMs, undefined, { signal: timeout.signal }).then(() =>
        Promise.reject(new Error(`${name} was not ready within ${startLimitMs / 1000} s`)),
      ),
    ]);
  } finally {
    timeout.abort();
  }
}

function conversation(child: ChildProcess): Pick<Child, 'query' | 'usage'> {
  const waiting = new Map<number, (response: unknown) => void>();
  let last = 0;
  child.on('message', (message) => {
    const { no, response } = message as QueryReply;
    waiting.get(no)?.(response);
    waiting.delete(no);
  });
  function query<T>(name: string, value?: number): Promise<T> {
    last += 1;
    const no = last;
    child.send({ name, no, value } satisfies Query);
    return new Promise<T>((resolve) => {
      waiting.set(no, (response) => resolve(response as T));
    });
  }
  return { query, usage: () => query<Usage>('usage') };
}

async function endChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), endLimitMs);
  await ended;
  clearTimeout(timer);
}
