import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import { testKeys } from './service-environment.ts';
import { endOf, systemEnvironment } from './service-process.ts';

const folder = join(import.meta.dirname, '../../clients/python');

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

/** Runs a verb of a Python client in a process of its own. `watch` among the options records the events. */
export async function runVerb(
  kind: PythonKind,
  [verb, ...args]: readonly unknown[],
  settings: { url: string; key?: string; options?: Record<string, unknown> },
): Promise<Outcome> {
  const call = JSON.stringify({ args, options: settings.options ?? {} });
  const printed = await runPython(['tests/run_verb.py', kind, String(verb), call], settings);
  return JSON.parse(printed);
}

/** Runs a verb once for each argument, in one process. */
export async function runVerbEach(
  kind: PythonKind,
  [verb, each]: readonly [verb: string, each: readonly string[]],
  settings: { url: string },
): Promise<Outcome[]> {
  const calls = JSON.stringify({ each: each.map((argument) => [argument]) });
  return JSON.parse(await runPython(['tests/run_verb.py', kind, verb, calls], settings));
}

/** Runs a Python program with the client on its path. Resolves with its output. Rejects if it fails. */
export async function runPython(
  programArguments: readonly string[],
  { url, key = testKeys.acme, cwd = folder }: { url: string; key?: string; cwd?: string },
): Promise<string> {
  const child = spawn('python3', programArguments, {
    cwd,
    env: {
      ...systemEnvironment(),
      PYTHONPATH: join(folder, 'src'),
      PYTHONDONTWRITEBYTECODE: '1',
      DARKROOM_URL: url,
      DARKROOM_API_KEY: key,
    },
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
