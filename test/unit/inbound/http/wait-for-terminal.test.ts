import { describe, expect, it } from 'vitest';
import type { HttpContext } from '../../../../src/inbound/http/context.ts';
import { holdAnswer } from '../../../../src/inbound/http/wait-for-terminal.ts';
import { createTenantPlaces } from '../../../../src/lib/tenant-slots.ts';
import { queuedJob } from '../../../support/jobs.ts';

describe('an answer that is to be held', () => {
  it('is given at once where nobody else can wait', async () => {
    const job = queuedJob();
    const context = {
      waitingRoom: createTenantPlaces({ most: 0, mostOfOne: 0 }),
      getImage: { get: async () => job },
    } as unknown as HttpContext;
    expect(await holdAnswer(context, undefined as never, job, 50_000)).toBe(job);
  });
});
