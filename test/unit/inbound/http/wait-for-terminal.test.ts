import { describe, expect, it } from 'vitest';
import type { HttpContext } from '../../../../src/inbound/http/context.ts';
import { waitForTerminal } from '../../../../src/inbound/http/wait-for-terminal.ts';
import { createTenantSlots } from '../../../../src/lib/tenant-slots.ts';
import { queuedJob } from '../../../support/jobs.ts';

describe('an answer that is to be held', () => {
  it('is given at once where nobody else can wait', async () => {
    const job = queuedJob();
    const context = {
      longPollSlots: createTenantSlots({ max: 0, maxPerTenant: 0 }),
      getJob: { get: async () => job },
    } as unknown as HttpContext;
    expect(await waitForTerminal(context, undefined as never, job, 50_000)).toBe(job);
  });
});
