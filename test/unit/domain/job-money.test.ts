import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../src/domain/attempt.ts';
import type { ImageJob } from '../../../src/domain/image-job.ts';
import { erase } from '../../../src/domain/job-erasure.ts';
import { expectedCostOf, holdOf, spentOf, withHold } from '../../../src/domain/job-money.ts';
import { finish } from '../../../src/domain/job-moves.ts';
import { queuedJob } from '../../support/jobs.ts';

const retention = { mediaSeconds: 60, recordSeconds: 60 };
const rowOf = (no: number, patch: Partial<Attempt>): Attempt => ({
  ...{ no, kind: 'generate', index: 0, state: 'calling', fence: 1, startedAt: 0 },
  ...patch,
});
const jobOf = (n: number, attempts: Attempt[] = [], patch: Partial<ImageJob> = {}): ImageJob => ({
  ...queuedJob({ request: { n } }),
  ...{ keyId: 'key_1', callBounds: { image: 100 }, attempts },
  ...patch,
});

describe('the hold of a job', () => {
  it('is the bound of one call for each image and of the description before the first call', () => {
    expect(holdOf(jobOf(3))).toBe(300);
    const bounds = { image: 100, enhance: 7 };
    expect(holdOf(jobOf(3, [], { callBounds: bounds }))).toBe(307);
    const enhancing = [rowOf(1, { kind: 'enhance' })];
    expect(holdOf(jobOf(3, enhancing, { callBounds: bounds }))).toBe(307);
    const enhanced = [rowOf(1, { kind: 'enhance', state: 'stored', costMicroUsd: 3 })];
    expect(holdOf(jobOf(3, enhanced, { callBounds: bounds }))).toBe(300);
    const refused = [rowOf(1, { kind: 'enhance', state: 'rejected' })];
    expect(holdOf(jobOf(3, refused, { callBounds: bounds }))).toBe(300);
  });

  it('is what a job without calls shows as its expected cost, which is null if the price is unknown', () => {
    for (const callBounds of [{ image: 100 }, { image: 100, enhance: 7 }, { image: 0, enhance: 7 }]) {
      const job = jobOf(3, [], { callBounds });
      expect(expectedCostOf(job)).toBe(holdOf(job));
    }
    expect(expectedCostOf(queuedJob())).toBeNull();
  });

  it('does not change when a planned call begins or is rejected', () => {
    expect(holdOf(jobOf(2, [rowOf(1, {})]))).toBe(200);
    expect(holdOf(jobOf(2, [rowOf(1, { state: 'rejected' })]))).toBe(200);
  });

  it('rises by the bound of every further paid call', () => {
    const uncertain = rowOf(1, { state: 'uncertain' });
    expect(holdOf(jobOf(1, [uncertain]))).toBe(100);
    expect(holdOf(jobOf(1, [uncertain, rowOf(2, {})]))).toBe(200);
    const unusable = rowOf(1, { state: 'unusable', costMicroUsd: 60 });
    expect(holdOf(jobOf(1, [unusable]))).toBe(0);
    expect(holdOf(jobOf(1, [unusable, rowOf(2, {})]))).toBe(100);
  });

  it('becomes the known cost with the row that names it, also above the bound', () => {
    const job = jobOf(2, [rowOf(1, { state: 'stored', costMicroUsd: 130 })]);
    expect([holdOf(job), spentOf(job)]).toEqual([100, 130]);
  });

  it('ends with the job, except for calls that may have been charged', () => {
    const at = { nowMs: 1, retention };
    expect(withHold(finish(jobOf(2), 'canceled', at))).not.toHaveProperty('hold');
    expect(withHold(finish(jobOf(2), 'canceled', at))).not.toHaveProperty('callBounds');
    const possible = withHold(finish(jobOf(2, [rowOf(1, { state: 'uncertain' })]), 'canceled', at));
    expect(possible).toMatchObject({ hold: 100, callBounds: { image: 100 } });
    const settled = { ...possible, attempts: [rowOf(1, { state: 'uncertain', costMicroUsd: 0 })] };
    expect(withHold(settled)).not.toHaveProperty('hold');
  });

  it('stays when a job with a possible charge is erased', () => {
    const erased = withHold(erase(jobOf(1, [rowOf(1, {})]), 1, retention));
    expect(erased).toMatchObject({ hold: 100, keyId: 'key_1', status: 'canceled' });
  });

  it('is 0 if the price is unknown', () => {
    const { callBounds: _bounds, ...job } = jobOf(2, [rowOf(1, {})]);
    expect(withHold(job)).toBe(job);
  });
});
