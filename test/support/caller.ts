import { setTimeout as sleep } from 'node:timers/promises';
import supertest, { type Test } from 'supertest';
import { errorRow } from '../../src/domain/errors.ts';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import { testKeys } from './service-environment.ts';

type Body = Record<string, unknown>;

const pollMs = 20;

/** A client of a running service with an API key. */
export interface Caller {
  get(path: string): Test;
  post(path: string): Test;
  patch(path: string): Test;
  delete(path: string): Test;
  /** Submits a job. Rejects if the service does not accept it. */
  submit(body: Body): Promise<ImageJobView>;
  job(id: string): Promise<ImageJobView>;
  /** Long-polls until the job has ended. Resolves with the job. */
  ended(id: string): Promise<ImageJobView>;
  /** Submits a job and waits for its end. */
  generate(body: Body): Promise<ImageJobView>;
  /** Downloads an image through the API. */
  image(id: string, index?: number): Promise<Buffer>;
}

/** Creates a client of the service at `url`. */
export function createCaller(url: string, key: string = testKeys.acme): Caller {
  const authorized = (test: Test) => test.set('authorization', `Bearer ${key}`);
  const caller: Caller = {
    get: (path) => authorized(supertest(url).get(path)),
    post: (path) => authorized(supertest(url).post(path)),
    patch: (path) => authorized(supertest(url).patch(path)),
    delete: (path) => authorized(supertest(url).delete(path)),
    submit: async (body) => (await caller.post('/images').send(body).expect(202)).body,
    job: async (id) => (await caller.get(`/images/${id}`).expect(200)).body,
    async ended(id) {
      for (;;) {
        const { body } = await caller.get(`/images/${id}?wait=20`).expect(200);
        if (!hasEnded(body)) continue;
        for (const error of [body.error, ...body.image_errors]) if (error) expectDocumented(error);
        return body;
      }
    },
    generate: async (body) => caller.ended((await caller.submit(body)).id),
    image: async (id, index = 0) => (await caller.get(`/images/${id}/content/${index}`).expect(200)).body,
  };
  return caller;
}

/** Throws if docs/errors.md does not list the billing of an error for its code. */
function expectDocumented({ code, billing }: NonNullable<ImageJobView['error']>): void {
  const documented = errorRow(code).billing ?? [];
  if (!documented.includes(billing)) {
    throw new Error(`billing of ${code} is ${billing}, documented: ${documented.join(', ') || 'no value'}`);
  }
}

/** Returns whether a job has a terminal status. */
export function hasEnded(job: Pick<ImageJobView, 'status'>): boolean {
  return job.status !== 'queued' && job.status !== 'running';
}

/** Polls a job until it matches. The timeout of the test is the limit. */
export async function jobThat(
  caller: Caller,
  id: string,
  matches: (job: ImageJobView) => boolean,
): Promise<ImageJobView> {
  for (;;) {
    const job = await caller.job(id);
    if (matches(job)) return job;
    await sleep(pollMs);
  }
}
