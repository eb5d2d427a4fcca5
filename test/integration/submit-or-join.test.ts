import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/domain/api-key.ts';
import { AppError } from '../../src/domain/errors.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { touch } from '../../src/domain/job-moves.ts';
import type { WaitingCallers } from '../../src/domain/ports/callers.ts';
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
  identity: 'generations {"prompt":"A fox"}',
  admit: () => {},
  countsCallers: false,
};
/** First try of a client that numbers its tries. */
const first: JoinableSubmission = { ...request, earlierTries: 0 };
const retry: JoinableSubmission = { ...request, earlierTries: 1 };

const keyedDigest = (text: string) => Buffer.from(text).toString('base64url');

interface Parts {
  readonly submitJob?: Pick<Core['submitJob'], 'submit'> | undefined;
  readonly callers?: WaitingCallers;
}

/** Creates the verb for one API process. The parts replace those of that process. */
function verbOf(core: Core, process: string, parts: Parts = {}) {
  const { submitJob = core.submitJob, callers = createWaitingCallers(core.redis, core.keys) } = parts;
  return createSubmitOrJoin({
    callers,
    submitJob,
    getJob: core.getJob,
    ids,
    keyedDigest,
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

/** Attempt that may have been charged. */
const uncertain = { state: 'uncertain' } as unknown as ImageJob['attempts'][number];

const jobsOf = async (core: Core) => (await core.records.list('acme', { limit: 10 })).jobs;

describe('a retry of a request whose job is claimed and not written yet', () => {
  it('shares one job with the request that it repeats', async () => {
    const core = await connectCore();
    const paused = pausedSubmission(core);
    const first = verbOf(core, 'p1', paused)(request);
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
    void verbOf(core, 'p1', paused)(request);
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
    const submitted = verbOf(core, 'p1', { submitJob: unconfirmedSubmission(core) })(request);
    await expect(submitted).rejects.toMatchObject({ code: 'store_unavailable' });
    const { job, isJoined } = await verbOf(core, 'p1')(repeated);
    expect(isJoined).toBe(true);
    expect(await jobsOf(core)).toEqual([job]);
  });
});

describe('the end of a wait that the store does not record, because it is unavailable', () => {
  it('is recorded within a second, so that clients which repeat the request so soon join its job', async () => {
    const core = await connectCore();
    const callers = createWaitingCallers(core.redis, core.keys);
    let failures = 1;
    const release: typeof callers.release = async (...end) => {
      if (failures-- > 0) throw new AppError('store_unavailable');
      return callers.release(...end);
    };
    const verb = verbOf(core, 'p1', {
      submitJob: unconfirmedSubmission(core),
      callers: { ...callers, release },
    });
    await expect(verb(request)).rejects.toMatchObject({ code: 'store_unavailable' });
    const key = core.keys.waitingCallers(caller.tenant, keyedDigest(`${caller.keyId} ${request.identity}`));
    const states = async () => (await core.redis.hvals(key)).map((value) => value.split(' ')[1]);
    await expect.poll(states, { timeout: 1_000 }).toEqual(['orphan']);
    const { job } = await verbOf(core, 'p1')(request);
    expect(await jobsOf(core)).toEqual([job]);
  });
});

describe('a request that joins a job without a use', () => {
  it.each<[string, Partial<ImageJob>]>([
    ['was canceled before a payment', { status: 'canceled' }],
    ['was canceled after a possible payment', { status: 'canceled', attempts: [uncertain] }],
    ['is being canceled', { status: 'running', cancelRequestedAt: 1 }],
    ['has no images any more', { status: 'succeeded', mediaGone: true }],
  ])('creates another job if the joined one %s', async (_title, state) => {
    const core = await connectCore();
    const created = await verbOf(core, 'p1')(request);
    const { tenant, id } = created.job;
    await core.updateJob({ tenant, id }, (job) => ({ ...touch(job, core.clock()), ...state }), created.job);
    const second = await verbOf(core, 'p2')(retry);
    expect(second.isJoined).toBe(false);
    expect(second.job.id).not.toBe(created.job.id);
  });
});

describe('a first try that was refused for now', () => {
  const busy = new AppError('too_many_requests');
  it.each<[string, JoinableSubmission, Pick<Core['submitJob'], 'submit'> | undefined]>([
    ['by the store', first, { submit: () => Promise.reject(busy) }],
    [
      'by its process',
      {
        ...first,
        admit() {
          throw busy;
        },
      },
      undefined,
    ],
  ])('leaves its retry a job of its own, %s', async (_title, refused, submitJob) => {
    const core = await connectCore();
    const waiting = await verbOf(core, 'p1')(first);
    await expect(verbOf(core, 'p1', { submitJob })(refused)).rejects.toBe(busy);
    core.passTime(1_000);
    const { job, isJoined } = await verbOf(core, 'p1')(retry);
    expect(isJoined).toBe(false);
    expect(job.id).not.toBe(waiting.job.id);
  });
});
