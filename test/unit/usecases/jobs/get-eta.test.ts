import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import type { ImageRequest } from '../../../../src/domain/image-request.ts';
import { createGetEta } from '../../../../src/usecases/jobs/get-eta.ts';
import { createdAt, finishedJob, queuedJob } from '../../../support/jobs.ts';

describe('the time that a request will take', () => {
  const finished = finishedJob(queuedJob());
  const nowMs = createdAt + 600_000;
  /** Returns the estimate after jobs that took these seconds. */
  function etaAfter(seconds: readonly number[], change: (job: ImageJob) => ImageJob = (job) => job) {
    const jobs = seconds.map((each) =>
      change({ ...finished, createdAt, finishedAt: createdAt + each * 1000 }),
    );
    const list = async (_tenant: string, query: { createdAfterMs?: number | undefined }) => {
      expect(query.createdAfterMs).toBe(nowMs - 3_600_000);
      return { jobs, nextBeforeId: null };
    };
    const getEta = createGetEta({
      records: { list },
      catalogue: { find: () => undefined },
      clock: () => nowMs,
    });
    return getEta('acme', finished.request as ImageRequest);
  }

  it('is taken from the recent jobs with the same model, quality and number of images', async () => {
    expect(await etaAfter([9, 1, 8, 2, 7, 3, 6, 4, 5, 60.04])).toEqual({ p50: 5, p90: 9 });
    expect(await etaAfter([1.26, 1, 2, 3, 4])).toEqual({ p50: 2, p90: 4 });
  });

  it('is unknown after fewer than five such jobs', async () => {
    const ten = Array.from({ length: 10 }, (_, i) => i);
    expect(await etaAfter([1, 2, 3, 4])).toBeNull();
    expect(await etaAfter(ten, (job) => ({ ...job, status: 'failed' }))).toBeNull();
    const withN = (job: ImageJob) => ({ ...job, request: { ...finished.request, n: 7 } });
    expect(await etaAfter(ten, withN as (job: ImageJob) => ImageJob)).toBeNull();
  });
});
