import { describe, expect, it } from 'vitest';
import { dueAt } from '../../../src/domain/job-deadlines.ts';
import { purgeMedia } from '../../../src/domain/job-erasure.ts';
import { beginRun, finish } from '../../../src/domain/job-moves.ts';
import { createdAt, queuedJob, retention } from '../../support/jobs.ts';

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
