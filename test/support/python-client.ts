import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import { testKeys } from './service-environment.ts';
import { endOf, systemEnvironment } from './service-process.ts';

const folder = join(import.meta.dirname, '../../clients/python');

/** Variables of every Python process: the client is on its path. */
const environment = {
  ...systemEnvironment(),
  PYTHONPATH: join(folder, 'src'),
  PYTHONDONTWRITEBYTECODE: '1',
};

/** Both clients of the Python package. */
export const pythonKinds = ['sync', 'async'] as const;
export type PythonKind = (typeof pythonKinds)[number];

/** Whether Python 3.9 or newer is installed. The tests of the Python client are skipped otherwise. */
export const hasPython = isPythonInstalled();
if (!hasPython) console.warn('skipped: python3 (3.9 or newer) is not installed (apt-get install python3)');

function isPythonInstalled(): boolean {
  try {
    execFileSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Facts of an exception of the client. */
export interface PythonError {
  readonly class: string;
  readonly classes: readonly string[];
  readonly message: string;
  readonly code: string | null;
  readonly status: number | null;
  readonly retryable: boolean | null;
  readonly retry_after_s: number | null;
  readonly attempts: number | null;
  readonly job_id: string | null;
  readonly idempotency_key: string | null;
  readonly billing: string | null;
  readonly issues: readonly { pointer: string; detail: string }[] | null;
  readonly budget: { name: string } | null;
}

interface Outcome {
  /** Result of the verb, usually a job. */
  readonly result: ImageJobView & Record<string, unknown>;
  readonly error?: PythonError;
  /** Types of the events that `on_event` got. */
  readonly events: readonly string[];
}

interface Settings {
  readonly url: string;
  readonly key?: string;
  readonly options?: Record<string, unknown>;
}

/** A Python process that runs verbs one after the other. Starting an interpreter takes longer than most verbs. */
export interface PythonVerbs {
  /** Runs a verb of a new client. `watch` among the options records the events. */
  run(kind: PythonKind, call: readonly unknown[], settings: Settings): Promise<Outcome>;
  /** Ends the process after the current verb. */
  stop(): Promise<void>;
}

/** Starts a Python process for verbs. */
export function startPythonVerbs(): PythonVerbs {
  const child = spawn('python3', ['tests/run_verbs.py'], {
    cwd: folder,
    env: environment,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = endOf(child);
  const outcomes = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async run(kind, [verb, ...args], { url, key = testKeys.acme, options = {} }) {
      child.stdin.write(`${JSON.stringify({ kind, verb, url, api_key: key, args, options })}\n`);
      const { value, done } = await outcomes.next();
      if (done) throw new Error('the Python process ended');
      return JSON.parse(value);
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

/** Runs a Python program with the client on its path. Resolves with its output. Rejects if it fails. */
export async function runPython(
  programArguments: readonly string[],
  { url, key = testKeys.acme, cwd = folder }: { url: string; key?: string; cwd?: string },
): Promise<string> {
  const child = spawn('python3', programArguments, {
    cwd,
    env: { ...environment, DARKROOM_URL: url, DARKROOM_API_KEY: key },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', error: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    output.out += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    output.error += part;
  });
  const end = await endOf(child);
  if (end.code !== 0) throw new Error(`python3 ended with ${end.code ?? end.signal}:\n${output.error}`);
  return output.out;
}
