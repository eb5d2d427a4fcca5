import { describe, expect, it } from 'vitest';
import { retentionFor } from '../../../src/domain/retention.ts';
import { attemptOf, queuedJob } from '../../support/jobs.ts';

const granted = { mediaSeconds: 1_000, recordSeconds: 5_000 };
const max = { ...granted, freeRecordSeconds: 600 };
const paidJob = (fields: object) => ({ ...queuedJob({ request: fields }), attempts: [attemptOf({})] });

describe('retention', () => {
  it.each([
    [undefined, granted],
    [{}, granted],
    [{ media_s: 60 }, { mediaSeconds: 60, recordSeconds: 5_000 }],
    [{ record_s: 90 }, { mediaSeconds: 1_000, recordSeconds: 90 }],
    [{ media_s: 9_999, record_s: 9_999 }, granted],
  ])('resolves the retention request %j to %j', (asked, expected) => {
    expect(retentionFor(paidJob(asked ? { retention: asked } : {}), max)).toEqual(expected);
  });

  it('applies the retention of the deployment to an erased job', () => {
    const { request: _request, ...erased } = paidJob({});
    expect(retentionFor(erased, max)).toEqual(granted);
  });

  it('limits the record of a job that made no paid call', () => {
    const refused = { ...queuedJob(), attempts: [attemptOf({ state: 'rejected' })] };
    for (const free of [queuedJob(), queuedJob({ request: { retention: { record_s: 5_000 } } }), refused]) {
      expect(retentionFor(free, max).recordSeconds).toBe(600);
    }
    const maybePaid = { ...queuedJob(), attempts: [attemptOf({ state: 'uncertain' })] };
    expect(retentionFor(maybePaid, max).recordSeconds).toBe(5_000);
    expect(retentionFor(queuedJob({ request: { retention: { record_s: 60 } } }), max).recordSeconds).toBe(60);
  });
});
