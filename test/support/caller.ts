import { setTimeout as sleep } from 'node:timers/promises';
import supertest, { type Test } from 'supertest';
import { errorRow } from '../../src/domain/errors.ts';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import { testKeys } from './service-environment.ts';

type Body = Record<string, unknown>;

const pollMs = 20;

/** Somebody who calls a running service with an API key. */
export interface Caller {
  get(path: string): Test;
  post(path: string): Test;
  patch(path: string): Test;
  delete(path: string): Test;
  /** Orders images; fails unless the order is accepted. */
  submit(body: Body): Promise<ImageJobView>;
  job(id: string): Promise<ImageJobView>;
  /** The job once it has ended; long-polls until then. */
  ended(id: string): Promise<ImageJobView>;
  /** Orders images and waits for the end of the job. */
  generate(body: Body): Promise<ImageJobView>;
  /** The bytes of an image, through the API. */
  image(id: string, index?: number): Promise<Buffer>;
}

/** Calls a service at `url` with a key. */
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

/** What an error of a job says about money is what docs/errors.md says of its code. */
function expectDocumented({ code, billing }: NonNullable<ImageJobView['error']>): void {
  const documented = errorRow(code).billing ?? [];
  if (!documented.includes(billing)) {
    throw new Error(
      `billing of ${code} is ${billing}, documented: ${documented.join(', ') || 'none of all'}`,
    );
  }
}

/** Whether a job is in a final status. */
export function hasEnded(job: Pick<ImageJobView, 'status'>): boolean {
  return job.status !== 'queued' && job.status !== 'running';
}

/** Resolves with the job as soon as it fits, by polling; the test's own timeout bounds it. */
export async function jobThat(
  caller: Caller,
  id: string,
  fits: (job: ImageJobView) => boolean,
): Promise<ImageJobView> {
  for (;;) {
    const job = await caller.job(id);
    if (fits(job)) return job;
    await sleep(pollMs);
  }
}
