import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { testKeys } from './service-environment.ts';

/** One answer of the service under load. */
export interface LoadResponse {
  readonly call: string;
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | null;
  readonly text: string;
}

/** An order that was accepted. */
export interface LoadRequest {
  readonly id: string;
  readonly key: string;
  /** When the order was first sent, and when its answer was here; epoch milliseconds. */
  readonly sentAtMs: number;
  readonly acceptedAtMs: number;
}

/** Callers who order images and look after them, without a pause longer than a moment, until they are told to stop. */
export interface SteadyLoad {
  /** Every answer that came, those that said to come again included. */
  readonly responses: readonly LoadResponse[];
  readonly submissions: readonly LoadRequest[];
  /** The first order that fits, as soon as it is accepted; orders are counted from 1. */
  accepted(fits: (generate: LoadRequest, count: number) => boolean): Promise<LoadRequest>;
  /** Lets every order that was begun come to its answer, and ends. Rejects when a call brought no answer at all. */
  stop(): Promise<void>;
}

const submittingLanes = 4;
/** Slow enough that no backlog grows, so that the time of a job is its own. */
const submitPauseMs = 250;
const lookPauseMs = 40;
const againMs = 100;

/** Starts the load on a service, as the tenant `acme`. Orders are repeated under their keys until they are accepted. */
export function startSteadyLoad(url: string, mark: string, body: Record<string, unknown>): SteadyLoad {
  const responses: LoadResponse[] = [];
  const submissions: LoadRequest[] = [];
  const changes = new EventEmitter();
  let submitted = 0;
  let isOver = false;

  async function call(method: string, path: string, headers: Record<string, string>, json?: unknown) {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${testKeys.acme}`,
        ...headers,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const result = {
      call: `${method} ${path}`,
      status: response.status,
      contentType: response.headers.get('content-type') ?? '',
      retryAfter: response.headers.get('retry-after'),
      text: await response.text(),
    };
    responses.push(result);
    return result;
  }

  async function generate(): Promise<void> {
    submitted += 1;
    const key = `${mark}-${submitted}`;
    const sentAtMs = Date.now();
    for (;;) {
      const json = { ...body, prompt: `${body.prompt} ${key}` };
      const { status, text } = await call('POST', '/images', { 'idempotency-key': key }, json);
      if (status < 300) {
        const { id } = JSON.parse(text) as { id: string };
        submissions.push({ id, key, sentAtMs, acceptedAtMs: Date.now() });
        changes.emit('accepted');
        return;
      }
      if (status < 500) throw new Error(`order ${key} was answered ${status}: ${text}`);
      await sleep(againMs);
    }
  }

  async function submitOn(): Promise<void> {
    while (!isOver) {
      await generate();
      await sleep(submitPauseMs);
    }
  }
  async function lookOn(pathOf: (id: string) => string): Promise<void> {
    while (!isOver) {
      const last = submissions.at(-1);
      if (last) await call('GET', pathOf(last.id), {});
      await sleep(lookPauseMs);
    }
  }

  const scopes = Promise.all([
    ...Array.from({ length: submittingLanes }, submitOn),
    lookOn((id) => `/images/${id}`),
    lookOn((id) => `/images/${id}?wait=5`),
    lookOn(() => '/images?limit=5&status=succeeded'),
  ]);
  // Whoever stops hears of it; until then a failed call is not an error that nobody handles.
  scopes.catch(() => undefined);
  return {
    responses,
    submissions,
    async accepted(fits) {
      for (;;) {
        const found = submissions.find((generate, at) => fits(generate, at + 1));
        if (found) return found;
        await Promise.race([once(changes, 'accepted'), scopes]);
      }
    },
    async stop() {
      isOver = true;
      await scopes;
    },
  };
}
