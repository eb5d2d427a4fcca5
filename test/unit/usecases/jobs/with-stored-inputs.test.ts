import { expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import { withStoredInputs } from '../../../../src/usecases/jobs/with-stored-inputs.ts';
import { queuedJob } from '../../../support/jobs.ts';

/** Accepts a job while the storage refuses to delete bytes. @returns the error, and the steps of the preparation. */
async function refusedBy(refusal: Error, exists = async () => false) {
  const steps: string[] = [];
  const prepared = {
    inputs: [],
    store: async () => void steps.push('store'),
    confirm: async () => void steps.push('confirm'),
    async discard() {
      steps.push('discard');
      throw new AppError('storage_unavailable');
    },
    release: async () => void steps.push('release'),
  };
  const request = { tenant: 'acme', inputs: [] };
  const accepted = withStoredInputs(async () => prepared, request, {
    create: () => queuedJob(),
    exists,
    accept: () => Promise.reject(refusal),
  });
  return { error: await accepted.catch((error) => error), steps };
}

it('reports the refusal of a job even if the storage does not delete its inputs', async () => {
  const refusal = new AppError('queue_full');
  expect(await refusedBy(refusal)).toEqual({ error: refusal, steps: ['store', 'discard', 'release'] });
});

it('leaves the inputs of a job that the store may have written', async () => {
  const refusal = new AppError('store_unavailable');
  expect(await refusedBy(refusal)).toEqual({ error: refusal, steps: ['store', 'release'] });
});

it.each([
  ['that another request has created', async () => true],
  ['of which the store does not know', () => Promise.reject(new AppError('store_unavailable'))],
])('leaves the inputs of a refused job %s', async (_name, exists) => {
  const refusal = new AppError('budget_exceeded');
  expect(await refusedBy(refusal, exists)).toEqual({ error: refusal, steps: ['store', 'release'] });
});

it('accepts a job with the records that its inputs were copied from, each once', async () => {
  const prepared = {
    inputs: [],
    store: async () => {},
    confirm: async () => {},
    discard: async () => {},
    release: async () => {},
  };
  const from = [
    { kind: 'url', url: 'https://images.example/a.png' },
    { kind: 'upload', id: 'upl_1' },
    { kind: 'upload', id: 'upl_1' },
    { kind: 'image', id: 'img_1', index: 0 },
    { kind: 'job_input', jobId: 'img_2', source: { type: 'upload', uploadId: 'upl_2' } },
  ] as const;
  const inputs = from.map((origin, index) => ({ role: 'image', index, from: origin }) as const);
  let sources: unknown;
  await withStoredInputs(
    async () => prepared,
    { tenant: 'acme', inputs },
    {
      create: () => queuedJob(),
      exists: async () => false,
      async accept(job, given) {
        sources = given;
        return { job };
      },
    },
  );
  expect(sources).toEqual([
    { kind: 'upload', id: 'upl_1', pointer: '/images/1' },
    { kind: 'job', id: 'img_1', pointer: '/images/3' },
    { kind: 'job', id: 'img_2', pointer: '/images/4' },
  ]);
});
