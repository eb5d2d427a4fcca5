import { expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import { withStoredInputs } from '../../../../src/usecases/jobs/with-stored-inputs.ts';
import { queuedJob } from '../../../support/jobs.ts';

/** Accepts a job while the storage refuses to delete bytes. @returns the error, and the steps of the preparation. */
async function refusedBy(refusal: Error) {
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
