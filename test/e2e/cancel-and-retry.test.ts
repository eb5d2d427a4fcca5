import { beforeAll, describe, expect, it } from 'vitest';
import { createCaller, jobThat } from '../support/caller.ts';
import { eventually } from '../support/eventually.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

describe('canceling', () => {
  it('canceling a queued job ends it at once without a provider call or a cost', async () => {
    const idle = await startService({ ROLES: 'api' });
    const { id } = await idle.acme.submit({ prompt: 'Never started' });
    const { body } = await idle.acme.post(`/images/${id}/cancel`).expect(200);
    await idle.close();

    expect(body).toMatchObject({
      status: 'canceled',
      started_at: null,
      attempts: [],
      error: null,
      cost: { micro_usd: 0, billing: 'none', estimated: false },
    });
    expect(body.cancel_requested_at).not.toBeNull();
    expect(idle.studio.calls).toEqual([]);
  });

  it('canceling a running job aborts its call and reports a possible charge', async () => {
    const { id } = await service.acme.submit({ prompt: 'Stopped halfway [studio:latency=20000]' });
    await jobThat(service.acme, id, (job) => job.stage === 'generating');
    await service.acme.post(`/images/${id}/cancel`).expect(200);
    const job = await service.acme.ended(id);

    expect(job).toMatchObject({
      status: 'canceled',
      images: [],
      cost: { billing: 'possible', micro_usd: null },
      attempts: [{ state: 'uncertain' }],
    });
    // The provider notices the closed connection a moment later.
    await eventually(() =>
      expect(imageCalls(service.studio, 'Stopped halfway').map((call) => call.aborted)).toEqual([true]),
    );
  });

  it('canceling a job that waits for its next attempt prevents that attempt', async () => {
    // A separate model, because a rate limit delays all jobs of its model.
    const { id } = await service.acme.submit({
      prompt: 'Rate limited [studio:rate-limit=30]',
      model: 'gpt-image-2',
    });
    await jobThat(service.acme, id, (job) => job.attempts[0]?.state === 'rejected');
    await service.acme.post(`/images/${id}/cancel`).expect(200);
    const job = await service.acme.ended(id);

    expect(job).toMatchObject({ status: 'canceled', cost: { billing: 'none', micro_usd: 0 } });
    expect(imageCalls(service.studio, 'Rate limited')).toHaveLength(1);
  });

  it('canceling a job during prompt enhancement ends it before any image call', async () => {
    const { id } = await service.acme.submit({
      prompt: 'Unwritten [studio:enhance-hang]',
      enhance: 'always',
    });
    await jobThat(service.acme, id, (job) => job.stage === 'enhancing');
    await service.acme.post(`/images/${id}/cancel`).expect(200);
    const job = await service.acme.ended(id);

    expect(job).toMatchObject({ status: 'canceled', cost: { billing: 'possible', micro_usd: null } });
    expect(job.attempts).toEqual([expect.objectContaining({ kind: 'enhance', state: 'uncertain' })]);
    expect(imageCalls(service.studio, 'Unwritten')).toEqual([]);
  });

  it.each(['', '[studio:bad-request]'])(
    'canceling a terminal job is refused with 409 (%s)',
    async (fault) => {
      const job = await service.acme.generate({ prompt: `Too late ${fault}` });
      const { body } = await service.acme.post(`/images/${job.id}/cancel`).expect(409);
      expect(body).toMatchObject({ code: 'already_terminal', retryable: false });
      expect((await service.acme.job(job.id)).status).toBe(job.status);
    },
  );

  it('five concurrent cancel requests cancel a job once and never fail', async () => {
    const { id } = await service.acme.submit({ prompt: 'Impatient [studio:hang]' });
    await jobThat(service.acme, id, (job) => job.stage === 'generating');
    const responses = await Promise.all(
      Array.from({ length: 5 }, () => createCaller(service.url, testKeys.acme).post(`/images/${id}/cancel`)),
    );
    for (const { status } of responses) expect([200, 409]).toContain(status);
    expect(responses.some(({ status }) => status === 200)).toBe(true);
    expect((await service.acme.ended(id)).status).toBe('canceled');
  });
});

describe('retrying', () => {
  it('retrying a failed job creates a job with the same request and the parent id', async () => {
    const failed = await service.acme.generate({
      prompt: 'Second chance [studio:moderation,times=1]',
      quality: 'low',
      metadata: { order: '7' },
    });
    const { body, headers } = await service.acme.post(`/images/${failed.id}/retry`).expect(202);
    const job = await service.acme.ended(body.id);

    expect(failed.status).toBe('failed');
    expect(body.id).not.toBe(failed.id);
    expect(headers.location).toBe(`/images/${body.id}`);
    expect(job).toMatchObject({ status: 'succeeded', parent_id: failed.id, metadata: { order: '7' } });
    expect(job.request).toEqual(failed.request);
    expect((await service.acme.job(failed.id)).status).toBe('failed');
  });

  it('repeated retries with one Idempotency-Key create one job', async () => {
    const failed = await service.acme.generate({ prompt: 'Retried often [studio:moderation,times=1]' });
    const retry = () =>
      service.acme.post(`/images/${failed.id}/retry`).set('idempotency-key', `retry-${failed.id}`);
    const first = await retry().expect(202);
    const second = await retry().expect('idempotent-replayed', 'true');
    expect(second.body.id).toBe(first.body.id);
    await service.acme.ended(first.body.id);
    // The key still works after the parent job was erased.
    await service.acme.delete(`/images/${failed.id}`).expect(204);
    expect((await retry().expect(200)).body.id).toBe(first.body.id);
    await service.acme.post(`/images/${failed.id}/retry`).expect(410);
    expect(imageCalls(service.studio, 'Retried often')).toHaveLength(2);
  });

  it('a canceled job can be retried, and a running or succeeded job is refused with 409', async () => {
    const running = await service.acme.submit({ prompt: 'Runs [studio:hang,times=1]' });
    await eventually(() => expect(imageCalls(service.studio, 'Runs')).toHaveLength(1));
    await service.acme.post(`/images/${running.id}/retry`).expect(409);
    await service.acme.post(`/images/${running.id}/cancel`).expect(200);
    await service.acme.ended(running.id);
    const { body } = await service.acme.post(`/images/${running.id}/retry`).expect(202);
    const job = await service.acme.ended(body.id);
    const refused = await service.acme.post(`/images/${job.id}/retry`).expect(409);

    expect(job).toMatchObject({ status: 'succeeded', parent_id: running.id });
    expect(refused.body.code).toBe('not_retryable_job');
  });
});
