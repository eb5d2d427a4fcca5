import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { testKeys } from './service-environment.ts';

/** One response of the service under load. */
export interface LoadResponse {
  readonly call: string;
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | null;
  readonly text: string;
}

/** An accepted submission. */
export interface LoadRequest {
  readonly id: string;
  readonly key: string;
  /** Times of the first attempt and of the accepting response, in epoch milliseconds. */
  readonly sentAtMs: number;
  readonly acceptedAtMs: number;
}

/** Callers that submit and poll jobs continuously until they are stopped. */
export interface SteadyLoad {
  /** All responses, including retryable errors. */
  readonly responses: readonly LoadResponse[];
  readonly submissions: readonly LoadRequest[];
  /** Resolves with the first accepted submission that matches. The count starts at 1. */
  accepted(matches: (submission: LoadRequest, count: number) => boolean): Promise<LoadRequest>;
  /** Waits for the responses to all submissions and ends. Rejects if a call had no response. */
  stop(): Promise<void>;
}

const submitters = 4;
/** Slow enough that no backlog grows, because a backlog would delay the jobs that are measured. */
const submitPauseMs = 250;
const pollPauseMs = 40;
const retryPauseMs = 100;

/** Starts load on a service as the tenant `acme`. Submissions are repeated with their keys until they are accepted. */
export function startSteadyLoad(url: string, mark: string, body: Record<string, unknown>): SteadyLoad {
  const responses: LoadResponse[] = [];
  const submissions: LoadRequest[] = [];
  const changes = new EventEmitter();
  let submitted = 0;
  let isOver = false;

  async function call(operation: string, headers: Record<string, string>, json?: unknown) {
    const [method = '', path = ''] = operation.split(' ');
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
      call: operation,
      status: response.status,
      contentType: response.headers.get('content-type') ?? '',
      retryAfter: response.headers.get('retry-after'),
      text: await response.text(),
    };
    responses.push(result);
    return result;
  }

  async function submit(): Promise<void> {
    submitted += 1;
    const key = `${mark}-${submitted}`;
    const sentAtMs = Date.now();
    for (;;) {
      const json = { ...body, prompt: `${body.prompt} ${key}` };
      const { status, text } = await call('POST /images', { 'idempotency-key': key }, json);
      if (status < 300) {
        const { id } = JSON.parse(text) as { id: string };
        submissions.push({ id, key, sentAtMs, acceptedAtMs: Date.now() });
        changes.emit('accepted');
        return;
      }
      if (status < 500) throw new Error(`submission ${key} got ${status}: ${text}`);
      await sleep(retryPauseMs);
    }
  }

  async function keepSubmitting(): Promise<void> {
    while (!isOver) {
      await submit();
      await sleep(submitPauseMs);
    }
  }
  async function keepPolling(pathOf: (id: string) => string): Promise<void> {
    while (!isOver) {
      const last = submissions.at(-1);
      if (last) await call(`GET ${pathOf(last.id)}`, {});
      await sleep(pollPauseMs);
    }
  }

  const loops = Promise.all([
    ...Array.from({ length: submitters }, keepSubmitting),
    keepPolling((id) => `/images/${id}`),
    keepPolling((id) => `/images/${id}?wait=5`),
    keepPolling(() => '/images?limit=5&status=succeeded'),
  ]);
  // `stop` rejects with the error of a failed call. Until then the rejection must not count as unhandled.
  loops.catch(() => undefined);
  return {
    responses,
    submissions,
    async accepted(matches) {
      for (;;) {
        const found = submissions.find((submission, index) => matches(submission, index + 1));
        if (found) return found;
        await Promise.race([once(changes, 'accepted'), loops]);
      }
    },
    async stop() {
      isOver = true;
      await loops;
    },
  };
}
