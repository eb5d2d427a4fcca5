import { expect, it } from 'vitest';
import { createWaitForTerminal } from '../../../../src/inbound/http/wait-for-terminal.ts';
import { createTenantSlots } from '../../../../src/lib/tenant-slots.ts';
import { queuedJob } from '../../../support/jobs.ts';

it('responds with the job as it is if every long-poll slot is taken', async () => {
  const job = queuedJob();
  const waitForTerminal = createWaitForTerminal({
    longPollSlots: createTenantSlots({ max: 0, maxPerTenant: 0 }),
    getJob: { get: async () => job, waitForEnd: () => Promise.reject(new Error('must not wait')) },
    draining: new AbortController().signal,
  });
  expect(await waitForTerminal(undefined as never, job, 50_000)).toBe(job);
});
