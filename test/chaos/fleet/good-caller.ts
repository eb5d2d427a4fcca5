import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageJobView } from '../../../src/domain/job-view.ts';
import type { Fleet } from './fleet.ts';

/** What came back, if anything did. */
export interface Response_ {
  readonly status: number;
  readonly body: Buffer;
}

/** Calls a fleet as a careful program does: over both API processes, again after every failure that may pass. */
export interface GoodCaller {
  /** Why calls were made again: the answer said so, nobody listened, or a connection brought no answer. */
  readonly outages: { refused: number; unreachable: number; unanswered: string[] };
  /** The first answer that is not a reason to come again. Rejects when there is none until the limit. */
  call(method: 'GET' | 'POST', path: string, options?: CallOptions): Promise<Response_>;
  /** One try at one API process; `null` when it brought no answer. */
  once(url: string, method: 'GET' | 'POST', path: string, options?: CallOptions): Promise<Response_ | null>;
  job(id: string): Promise<ImageJobView | null>;
}

interface CallOptions {
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

const tryMs = 10_000;
const pauseMs = 250;
const limitMs = 120_000;

export function createGoodCaller(fleet: Fleet): GoodCaller {
  const outages = { refused: 0, unreachable: 0, unanswered: [] as string[] };
  let leaseEpoch = 0;

  async function once(
    url: string,
    method: string,
    path: string,
    options: CallOptions = {},
  ): Promise<Response_ | null> {
    try {
      const response = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${fleet.apiKey}`,
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

  async function call(method: 'GET' | 'POST', path: string, options?: CallOptions): Promise<Response_> {
    const giveUpMs = Date.now() + limitMs;
    while (Date.now() < giveUpMs) {
      leaseEpoch += 1;
      const api = fleet.apis[leaseEpoch % fleet.apis.length];
      const response = await once(api?.url() ?? '', method, path, options);
      if (response && response.status < 500 && response.status !== 429) return response;
      if (response) outages.refused += 1;
      await sleep(pauseMs);
    }
    throw new Error(`${method} ${path} had no answer within ${limitMs / 1000} s`);
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

/** The system's code, or the name, of what ended a call. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return (error.cause as { code?: string } | undefined)?.code ?? error.name;
}
