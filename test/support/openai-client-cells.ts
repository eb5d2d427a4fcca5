import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import type { StudioCall } from '../../src/local/studio/studio.ts';
import type { Caller } from './caller.ts';
import type { HttpProxy } from './http-proxy.ts';
import type { ImageClient } from './openai-clients.ts';
import { testKeys } from './service-environment.ts';
import { systemEnvironment } from './service-process.ts';

/** One client with one fault. The prompt names the cell at the provider and in the list of jobs. */
export interface Cell {
  readonly client: ImageClient;
  readonly prompt: string;
  readonly proxy: HttpProxy;
}

/** Ledgers of a cell after its last request. */
export interface Reconciliation {
  readonly client: string;
  /** Images that the caller of the client received. */
  readonly delivered: number;
  /** Images that the provider charged, or may have charged. */
  readonly charged: number;
  /** Attempts with an unknown outcome in the ledger. */
  readonly uncertain: number;
  /** Images in the ledger. */
  readonly stored: number;
}

const maxRuns = 4;
const program = fileURLToPath(new URL('openai-client-process.ts', import.meta.url));

/** Returns whether an error of a client is a final response of the service, after which users do not repeat the call. */
function isFinal(failure: unknown): boolean {
  const { status, statusCode, error } = failure as { status?: number; statusCode?: number; error?: unknown };
  const code = status ?? statusCode;
  // The failure of a stream is an event, so it has a body and no status.
  if (code === undefined) return error !== undefined;
  return code >= 400 && code < 500 && ![408, 409, 429].includes(code);
}

/** Returns the options of a client that calls the service through a proxy. */
export const optionsFor = ({ url }: HttpProxy) => ({ baseUrl: `${url}/v1`, apiKey: testKeys.acme });

/**
 * Calls a client like a user: repeats the call after every failure that is not final, until there are images.
 *
 * @param beforeRepeat resolves when the user may repeat the call.
 * @returns the digests of the images that were received.
 */
export async function useClient(cell: Cell, beforeRepeat: () => Promise<unknown>): Promise<string[]> {
  const { client, prompt, proxy } = cell;
  for (let run = 1; ; run++) {
    try {
      const images = await client.generate(optionsFor(proxy), { prompt, model: 'gpt-image-2' });
      return images.map((image) => createHash('sha256').update(image).digest('hex'));
    } catch (error) {
      if (isFinal(error)) return [];
      if (run === maxRuns) throw error;
      await beforeRepeat();
    }
  }
}

/** Starts a client in a process of its own. The caller kills it. */
export function startClientProcess({ client, prompt, proxy }: Cell): ChildProcess {
  const { baseUrl, apiKey } = optionsFor(proxy);
  const args = ['--import', import.meta.resolve('tsx'), program, client.name, baseUrl, apiKey, prompt];
  return spawn(process.execPath, args, { env: systemEnvironment(), stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Returns all jobs of a prompt. */
export async function jobsOf(caller: Caller, prompt: string): Promise<ImageJobView[]> {
  const { body } = await caller.get('/images?limit=100').expect(200);
  return (body.data as ImageJobView[]).filter(({ request }) => request.prompt === prompt);
}

/** Compares the ledgers of the provider, of the service and of the caller. */
export async function reconcile(
  cell: Cell,
  ledgers: { caller: Caller; calls: readonly StudioCall[]; digests: readonly string[] },
): Promise<Reconciliation> {
  const { client, prompt } = cell;
  const attempts = (await jobsOf(ledgers.caller, prompt)).flatMap((job) => job.attempts);
  const count = (state: string) => attempts.filter((attempt) => attempt.state === state).length;
  const paid = ledgers.calls.filter((call) => call.prompt === prompt && call.charged !== 'none');
  return {
    client: client.name,
    delivered: new Set(ledgers.digests).size,
    charged: paid.length,
    uncertain: count('uncertain'),
    stored: count('stored'),
  };
}
