import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageJobView } from '../../../src/domain/job-view.ts';
import type { Fleet } from './fleet.ts';

type Method = 'GET' | 'POST' | 'PUT';

/** Status and body of a response. */
export interface CallResponse {
  readonly status: number;
  readonly body: Buffer;
}

/** Calls a fleet like a careful client: through all API processes, with a retry after every temporary failure. */
export interface GoodCaller {
  /** Reasons for retries: a retryable response, a refused connection, or a connection without a response. */
  readonly outages: { refused: number; unreachable: number; unanswered: string[] };
  /** Resolves with the first response that is not retryable. Rejects after the limit. */
  call(method: Method, path: string, options?: CallOptions): Promise<CallResponse>;
  /** Calls one API process once, at a full URL. Resolves with `null` if there is no response. */
  once(method: Method, url: string, options?: CallOptions): Promise<CallResponse | null>;
  job(id: string): Promise<ImageJobView | null>;
}

interface CallOptions {
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

const tryMs = 10_000;
const pauseMs = 250;
/** Maximum time of a call with its retries. On a busy machine all processes need minutes to start again. */
const limitMs = 300_000;

/** Creates a caller with an API key, by default the key of the fleet. */
export function createGoodCaller(fleet: Fleet, apiKey = fleet.apiKey): GoodCaller {
  const outages = { refused: 0, unreachable: 0, unanswered: [] as string[] };
  let calls = 0;

  async function once(method: string, url: string, options: CallOptions = {}): Promise<CallResponse | null> {
    try {
      const response = await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(options.idempotencyKey ? { 'idempotency-key': options.idempotencyKey } : {}),
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        signal: AbortSignal.timeout(tryMs),
      });
      return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === 'ECONNREFUSED') outages.unreachable += 1;
      else outages.unanswered.push(`${method}: ${reason}`);
      return null;
    }
  }

  async function call(method: Method, path: string, options?: CallOptions): Promise<CallResponse> {
    const deadlineMs = Date.now() + limitMs;
    while (Date.now() < deadlineMs) {
      calls += 1;
      const api = fleet.apis[calls % fleet.apis.length];
      const response = await once(method, `${api?.url()}${path}`, options);
      if (response && response.status < 500 && response.status !== 429) return response;
      if (response) outages.refused += 1;
      await sleep(pauseMs);
    }
    throw new Error(`${method} ${path} had no response within ${limitMs / 1000} s`);
  }

  return {
    outages,
    call,
    once,
    async job(id) {
      const { status, body } = await call('GET', `/images/${id}`);
      return status === 200 ? (JSON.parse(body.toString()) as ImageJobView) : null;
    },
  };
}

/** Returns the system code or the name of the error that ended a call. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return (error.cause as { code?: string } | undefined)?.code ?? error.name;
}
