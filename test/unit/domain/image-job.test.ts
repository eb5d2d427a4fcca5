import { describe, expect, it } from 'vitest';
import { dueAt, finalError, jobError } from '../../../src/domain/image-job.ts';
import { beginRun, finish, purgeMedia } from '../../../src/domain/job-moves.ts';
import { createdAt, queuedJob, retention } from '../../support/jobs.ts';

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

describe('the due time of a job', () => {
  it('schedules a queued job at the end of its queue TTL', () => {
    expect(dueAt(queuedJob({ request: { queue_ttl_s: 7 } }))).toBe(createdAt + 7_000);
  });

  it('schedules a running job after its run timeout, counted from its first start', () => {
    const first = beginRun(queuedJob({ request: { run_timeout_s: 60 } }), createdAt + 10);
    const again = beginRun(first, createdAt + 50_000);
    expect(dueAt(again)).toBe(dueAt(first));
    expect(dueAt(first)).toBeGreaterThan(createdAt + 10 + 60_000);
  });

  it('schedules an ended job at the expiry of its images, and then of its record', () => {
    const ended = finish(queuedJob(), 'expired', { nowMs: createdAt + 5, retention });
    expect(dueAt(ended)).toBe(ended.mediaExpiresAt);
    expect(dueAt(purgeMedia(ended, createdAt + 6))).toBe(ended.recordExpiresAt);
  });
});
