import { describe, expect, it } from 'vitest';
import { generation } from '../../../support/generation.ts';
import { createdAt } from '../../../support/jobs.ts';
import { failureOf } from '../../../support/scripted-provider.ts';

const done = { done: true };
const statesOf = (made: ReturnType<typeof generation>) => made.job().attempts.map(({ state }) => state);

describe('a run without failures', () => {
  it('pays once, stores the image and records its cost', async () => {
    const made = generation();
    expect(await made.run()).toEqual(done);
    const job = made.job();
    expect(made.calls).toHaveLength(1);
    expect(job.status).toBe('succeeded');
    expect(job.attempts).toMatchObject([{ no: 1, state: 'stored', costMicroUsd: 5_970, fence: 1 }]);
    expect(job.usage).toEqual({ input_tokens: 18, output_tokens: 196, total_tokens: 214 });
    expect(made.puts).toEqual(job.images.map((image) => image.storageKey));
    expect(made.spooled.size).toBe(0);
    expect(job.history.map(({ status, stage, image }) => image ?? stage ?? status)).toEqual([
      'queued',
      'running',
      'generating',
      'storing',
      0,
      'succeeded',
    ]);
  });

  it('generates each of n images exactly once', async () => {
    const made = generation({ request: { n: 10 } });
    await made.run();
    expect(made.calls).toHaveLength(10);
    expect(
      made
        .job()
        .images.map((image) => image.index)
        .toSorted((a, b) => a - b),
    ).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(made.job().usage?.total_tokens).toBe(2_140);
    expect(made.stored.size).toBe(10);
    expect(made.puts).toHaveLength(10);
  });

  it('never records an update before the creation, even if the clock of the worker is behind', async () => {
    const made = generation();
    const { createdAt: submittedAt } = made.job();
    made.passTime(-60_000);
    await made.run();
    expect(made.job()).toMatchObject({ status: 'succeeded', updatedAt: submittedAt });
  });

  it('does not run a job that has ended', async () => {
    const made = generation();
    await made.run();
    const ended = made.job();
    expect(await made.run()).toEqual(done);
    expect(made.job()).toBe(ended);
    expect(made.calls).toHaveLength(1);
  });

  it('expires a job past its queue TTL without a call', async () => {
    const made = generation({ request: { queue_ttl_s: 1 } });
    await made.run();
    expect(made.job()).toMatchObject({
      status: 'expired',
      errors: [{ code: 'queue_timeout', billing: 'none' }],
    });
    expect(made.calls).toHaveLength(0);
  });
});

describe('a refused call', () => {
  it('delays the job after a refused call, costs nothing, and resets the count after the next success', async () => {
    const made = generation({ responses: [failureOf('refused'), failureOf('refused'), 'image'] });
    expect(await made.run()).toEqual({ againInMs: 500, isInterrupted: true });
    expect(made.job()).toMatchObject({ status: 'running', refusals: 1 });
    expect(made.job()).not.toHaveProperty('leaseStartedAt');
    expect(await made.run()).toEqual({ againInMs: 1_000, isInterrupted: true });
    expect(await made.run()).toEqual(done);
    expect(statesOf(made)).toEqual(['rejected', 'rejected', 'stored']);
    expect(made.job()).not.toHaveProperty('refusals');
  });

  it('opens the breaker of the model for the time that a rate limit names', async () => {
    const limited = failureOf('refused', 'provider_rate_limited', { retryAfterMs: 9_000 });
    const made = generation({ responses: [limited] });
    expect(await made.run()).toEqual({ againInMs: 9_000 });
    made.passTime(8_000);
    expect(await made.run()).toEqual({ againInMs: 1_000 });
    expect(made.calls).toHaveLength(1);
    made.passTime(1_000);
    expect(await made.run()).toEqual(done);
  });

  it('blocks the same scope for every name of a model, and checks the account scope last', async () => {
    const limited = failureOf('refused', 'provider_rate_limited', { retryAfterMs: 9_000 });
    const made = generation({ request: { model: 'gpt-image-2-2026-04-21' }, responses: [limited] });
    await made.run();
    expect(made.scopesChecked[0]).toEqual(['studio:model:gpt-image-2', 'studio:account']);
    expect(made.blocked.has('studio:model:gpt-image-2')).toBe(true);
  });

  it('counts refusals anew once the provider accepted a call', async () => {
    const made = generation({ responses: [failureOf('refused'), 'damaged image', failureOf('refused')] });
    await made.run();
    expect(made.job().refusals).toBe(1);
    made.passTime(60_000);
    await made.runPaidCalls();
    expect(made.calls).toHaveLength(3);
    expect(made.job().refusals).toBe(1);
  });

  it('ends the job at once after a final refusal', async () => {
    const made = generation({ responses: [failureOf('final', 'moderation_blocked')] });
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({
      status: 'failed',
      errors: [{ code: 'moderation_blocked', billing: 'none', index: 0 }],
    });
    expect(made.calls).toHaveLength(1);
  });

  it('delays jobs without further calls after an account refusal if ON_QUOTA is wait', async () => {
    const made = generation({
      responses: [failureOf('stopped', 'provider_quota_exhausted')],
      onQuota: 'wait',
    });
    expect(await made.run()).toEqual({ againInMs: 5_000 });
    expect(await made.run()).toEqual({ againInMs: 5_000 });
    expect(made.calls).toHaveLength(1);
    made.passTime(5_000);
    expect(await made.run()).toEqual(done);
    expect(made.job().status).toBe('succeeded');
  });

  it('fails the job, and further images without a call, after an account refusal if ON_QUOTA is fail', async () => {
    const made = generation({
      request: { n: 5 },
      responses: Array(5).fill(failureOf('stopped', 'provider_quota_exhausted')),
      onQuota: 'fail',
    });
    expect(await made.run()).toEqual(done);
    expect(made.job().status).toBe('failed');
    expect(made.job().errors).toHaveLength(5);
    expect(made.job().errors?.every((error) => error.billing === 'none')).toBe(true);
    expect(made.calls.length).toBeLessThan(5);
  });
});

describe('a call while another one probes the account', () => {
  it('waits for the account probe of another call even if ON_QUOTA is fail', async () => {
    const made = generation({ onQuota: 'fail' });
    made.blocked.set('studio:account', {
      scope: 'studio:account',
      untilMs: createdAt + 3_000,
      code: 'provider_quota_exhausted',
      isProbed: true,
    });
    expect(await made.run()).toEqual({ againInMs: 2_000 });
    made.passTime(2_000);
    expect(await made.run()).toEqual(done);
    expect(made.job().status).toBe('succeeded');
  });
});

describe('a response without an image', () => {
  it('reports a response without an image with the status and the id of the provider request', async () => {
    const made = generation({ responses: ['no image'], onUncertain: 'fail' });
    await made.run();
    expect(made.job().errors).toMatchObject([
      { code: 'provider_unusable_answer', provider: { status: 200, request_id: 'req_1' } },
    ]);
  });
});

describe('a job of several images', () => {
  it('succeeds partially if one image is refused for good', async () => {
    const made = generation({
      request: { n: 3 },
      responses: ['image', failureOf('final', 'moderation_blocked'), 'image'],
    });
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({
      status: 'succeeded',
      errors: [{ code: 'moderation_blocked', index: 1 }],
    });
    expect(
      made
        .job()
        .images.map((image) => image.index)
        .toSorted(),
    ).toEqual([0, 2]);
  });

  it('repeats only the image that had to wait, not those that are stored or failed', async () => {
    const made = generation({
      request: { n: 3 },
      responses: ['image', failureOf('final', 'moderation_blocked'), failureOf('refused'), 'image'],
    });
    expect(await made.run()).toMatchObject({ againInMs: expect.any(Number) });
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(4);
    expect(made.job().errors).toHaveLength(1);
    expect(
      made
        .job()
        .images.map((image) => image.index)
        .toSorted(),
    ).toEqual([0, 2]);
  });

  it('lists the error of an image once although the reply to its release was lost', async () => {
    const responses = [failureOf('final', 'moderation_blocked'), failureOf('refused')];
    const made = generation({ request: { n: 2 }, responses });
    let lost = 0;
    made.faults.store.losesReply = ({ leaseStartedAt, status }) =>
      status === 'running' && leaseStartedAt === undefined && lost++ < 2;
    await made.run();
    expect(lost).toBe(3);
    expect(made.job().errors).toMatchObject([{ code: 'moderation_blocked', index: 0 }]);
  });

  it('fails the job if all images fail', async () => {
    const made = generation({
      request: { n: 2 },
      responses: [failureOf('final', 'moderation_blocked'), failureOf('final', 'provider_rejected')],
    });
    await made.run();
    expect(made.job()).toMatchObject({ status: 'failed', images: [] });
    expect(
      made
        .job()
        .errors?.map((error) => error.index)
        .toSorted(),
    ).toEqual([0, 1]);
  });
});
