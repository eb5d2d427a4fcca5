import { describe, expect, it } from 'vitest';
import { retentionFor } from '../../../src/domain/retention.ts';
import { queuedJob } from '../../support/jobs.ts';

const max = { mediaSeconds: 1_000, recordSeconds: 5_000 };

describe('retention', () => {
  it.each([
    [undefined, max],
    [{}, max],
    [{ media_s: 60 }, { mediaSeconds: 60, recordSeconds: 5_000 }],
    [{ record_s: 90 }, { mediaSeconds: 1_000, recordSeconds: 90 }],
    [{ media_s: 9_999, record_s: 9_999 }, max],
  ])('resolves the retention request %j to %j', (asked, granted) => {
    expect(retentionFor(queuedJob({ request: asked ? { retention: asked } : {} }), max)).toEqual(granted);
  });

  it('applies the retention of the deployment to an erased job', () => {
    const { request: _request, ...erased } = queuedJob();
    expect(retentionFor(erased, max)).toEqual(max);
  });
});
