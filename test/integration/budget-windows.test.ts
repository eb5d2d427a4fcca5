import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/domain/api-key.ts';
import { type Core, connectCore } from '../support/core.ts';
import { createdAt } from '../support/jobs.ts';
import { caller, requestBody } from '../support/submission.ts';

const midnight = Date.UTC(2026, 10, 24);
const limitMicroUsd = 7_000;
const rules = { key: { budgets: [{ window: 'day', limitMicroUsd, soft: false }] }, tenant: {} };
const limited: Caller = { ...caller, policy: rules };

const submit = (core: Pick<Core, 'submitJob'>) =>
  core.submitJob.submit({ caller: limited, body: { ...requestBody, size: '1024x1024' } });

/** Lets the time of a process pass midnight while it looks up the row of the usage counters. */
function passMidnightDuringSubmission(core: Core): void {
  core.passTime(midnight - 1 - createdAt);
  const { rowOf } = core.usageCounters;
  core.usageCounters.rowOf = async (...labels) => {
    core.passTime(1);
    return rowOf(...labels);
  };
}

describe('a budget of a day', () => {
  it('is that of the day in which the job counts if midnight passes during the submission', async () => {
    const core = await connectCore({ rules });
    const later = await core.beside();
    later.passTime(midnight - createdAt);
    await submit(later);
    passMidnightDuringSubmission(core);
    await expect(submit(core)).rejects.toMatchObject({ code: 'budget_exceeded' });
  });

  it('that is used up refuses no job that counts in the next day', async () => {
    const core = await connectCore({ rules });
    await submit(core);
    passMidnightDuringSubmission(core);
    expect((await submit(core)).job.createdAt).toBe(midnight);
  });
});
