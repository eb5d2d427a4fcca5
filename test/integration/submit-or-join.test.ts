import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/domain/api-key.ts';
import { AppError } from '../../src/domain/errors.ts';
import { ids } from '../../src/lib/ids.ts';
import { createWaitingCallers } from '../../src/outbound/records/waiting-callers.ts';
import { createSubmitOrJoin, type JoinableSubmission } from '../../src/usecases/jobs/submit-or-join.ts';
import { type Core, connectCore } from '../support/core.ts';
import { silentLog } from '../support/jobs.ts';

const caller: Caller = {
  tenant: 'acme',
  keyId: 'key_1',
  scopes: new Set(['images:write']),
  isOperator: false,
  policy: { key: {}, tenant: {} },
};
const request: JoinableSubmission = {
  caller,
  body: { prompt: 'A fox' },
  isRetry: false,
  identity: 'generations {"prompt":"A fox"}',
};
const retry: JoinableSubmission = { ...request, isRetry: true };

/** Creates the verb for one API process. `submitJob` replaces the submission of that process. */
function verbOf(core: Core, process: string, submitJob: Pick<Core['submitJob'], 'submit'> = core.submitJob) {
  return createSubmitOrJoin({
    callers: createWaitingCallers(core.redis, core.keys),
    submitJob,
    getJob: core.getJob,
    ids,
    keyedDigest: (text) => Buffer.from(text).toString('base64url'),
    process,
    clock: core.clock,
    log: silentLog,
  });
}

/** Creates a submission that waits after its claim and before its write, until it is released. */
function pausedSubmission(core: Core) {
  let reached = () => {};
  let resume = () => {};
  const atWrite = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const resumed = new Promise<void>((resolve) => {
    resume = resolve;
  });
  const submit: Core['submitJob']['submit'] = async (submission) => {
    reached();
    await resumed;
    return core.submitJob.submit(submission);
  };
  return { submitJob: { submit }, atWrite, resume };
}

/** Creates a submission whose result is lost after the store wrote the job. */
const unconfirmedSubmission = (core: Core): Pick<Core['submitJob'], 'submit'> => ({
  async submit(submission) {
    await core.submitJob.submit(submission);
    throw new AppError('store_unavailable');
  },
});

const jobsOf = async (core: Core) => (await core.records.list('acme', { limit: 10 })).jobs;

describe('a retry of a request whose job is claimed and not written yet', () => {
  it('shares one job with the request that it repeats', async () => {
    const core = await connectCore();
    const paused = pausedSubmission(core);
    const first = verbOf(core, 'p1', paused.submitJob)(request);
    await paused.atWrite;
    const second = await verbOf(core, 'p2')(retry);
    paused.resume();
    const late = await first;

    expect(late.job.id).toBe(second.job.id);
    expect([second.isJoined, late.isJoined]).toEqual([false, true]);
    expect(await jobsOf(core)).toHaveLength(1);
  });

  it('creates the job itself if the process of the first request died before the write', async () => {
    const core = await connectCore();
    const paused = pausedSubmission(core);
    void verbOf(core, 'p1', paused.submitJob)(request);
    await paused.atWrite;
    const { job } = await verbOf(core, 'p2')(retry);
    expect((await jobsOf(core)).map(({ id }) => id)).toEqual([job.id]);
  });
});

describe('a request that repeats a submission without confirmation', () => {
  it.each([
    ['marked as a retry', retry],
    ['without a mark', request],
  ])('gets the job that the store wrote, %s', async (_title, repeated) => {
    const core = await connectCore();
    const submitted = verbOf(core, 'p1', unconfirmedSubmission(core))(request);
    await expect(submitted).rejects.toMatchObject({ code: 'store_unavailable' });
    const { job, isJoined } = await verbOf(core, 'p1')(repeated);
    expect(isJoined).toBe(true);
    expect(await jobsOf(core)).toEqual([job]);
  });
});

describe('a request that joins a job without a use', () => {
  it('creates another job if the joined one was canceled before a payment', async () => {
    const core = await connectCore();
    const first = await verbOf(core, 'p1')(request);
    await core.cancelJob('acme', first.job.id);
    const second = await verbOf(core, 'p2')(retry);
    expect(second.isJoined).toBe(false);
    expect(second.job.id).not.toBe(first.job.id);
  });
});
