import { describe, expect, it } from 'vitest';
import { finalError, jobError } from '../../../src/domain/image-job.ts';
import { beginRun } from '../../../src/domain/job-moves.ts';
import { createdAt, queuedJob } from '../../support/jobs.ts';

describe('the error that ended a job', () => {
  const running = beginRun(queuedJob(), createdAt + 1);

  it('reports the last error of the images if they failed one by one', () => {
    const errors = [
      jobError('moderation_blocked', 'none', { index: 0 }),
      jobError('provider_rejected', 'none', { index: 1 }),
    ];
    expect(finalError({ ...running, status: 'failed', errors })?.code).toBe('provider_rejected');
  });

  it('reports no error for a job that succeeded or was canceled', () => {
    const errors = [jobError('moderation_blocked', 'none', { index: 0 })];
    for (const status of ['succeeded', 'canceled'] as const)
      expect(finalError({ ...running, status, errors })).toBeUndefined();
  });
});
