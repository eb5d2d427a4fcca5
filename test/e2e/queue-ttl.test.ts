import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import { readEvents } from '../support/event-stream.ts';
import { startService } from '../support/service.ts';
import { arrived } from '../support/webhook-callers.ts';
import { startEndpointServer } from '../support/webhook-endpoints.ts';

/** Starts a deployment without workers: no task runs and nothing is swept. */
async function withoutWorkers() {
  const service = await startService({ ROLES: 'api' });
  onTestFinished(service.close);
  return service;
}

describe('a job that waits too long', () => {
  it('a queued job expires for a waiting caller without a call and without cost', async () => {
    const { acme, studio } = await withoutWorkers();
    const job = await acme.generate({ prompt: 'Expires', queue_ttl_s: 1 });
    expect(job).toMatchObject({
      status: 'expired',
      error: { code: 'queue_timeout', billing: 'none' },
      cost: { micro_usd: 0, billing: 'none' },
    });
    expect(studio.calls).toEqual([]);
  });

  it('the event stream of an expired job ends', async () => {
    const { acme, url } = await withoutWorkers();
    const { id } = await acme.submit({ prompt: 'Expires too', queue_ttl_s: 1 });
    const names = (await readEvents(url, id)).map((event) => event.name);
    expect(names).toEqual(['image.queued', 'image.expired']);
  });

  it('a submission with Prefer: wait returns the expired job', async () => {
    const { acme } = await withoutWorkers();
    const request = { prompt: 'Expires while waiting', queue_ttl_s: 1 };
    const { body } = await acme.post('/images').set('prefer', 'wait=20').send(request).expect(200);
    expect(body.status).toBe('expired');
  });

  it('an expired job is listed as expired and no longer as queued', async () => {
    const { acme } = await withoutWorkers();
    const { id } = await acme.submit({ prompt: 'Only listed', queue_ttl_s: 1 });
    const { id: waiting } = await acme.submit({ prompt: 'Still waits' });
    const listed = async (query: string) => {
      const { body } = await acme.get(`/images${query}`).expect(200);
      return body.data.map((job: ImageJobView) => [job.id, job.status]);
    };
    await vi.waitFor(
      async () => expect(await listed('?status=queued')).toEqual([[waiting, 'queued']]),
      5_000,
    );
    expect(await listed('')).toEqual([
      [waiting, 'queued'],
      [id, 'expired'],
    ]);
  });

  it('an expired job is returned for its Idempotency-Key and can be retried at once', async () => {
    const { acme } = await withoutWorkers();
    const repeat = () =>
      acme.post('/images').set('idempotency-key', 'expires').send({ prompt: 'Repeated', queue_ttl_s: 1 });
    const { body: first } = await repeat();
    const { body: other } = await acme
      .post('/images')
      .send({ prompt: 'Retried', queue_ttl_s: 1 })
      .expect(202);
    const retried = await vi.waitFor(() => acme.post(`/images/${other.id}/retry`).expect(202), 5_000);
    expect(retried.body).toMatchObject({ status: 'queued', parent_id: other.id });
    await vi.waitFor(async () => expect((await repeat()).body.status).toBe('expired'), 5_000);
    const replay = await repeat();
    expect([replay.status, replay.body.id]).toEqual([200, first.id]);
  });

  it('an expired job sends its webhook although no caller reads the job', async () => {
    const endpointServer = await startEndpointServer(
      (_request, response) => void response.writeHead(204).end(),
    );
    onTestFinished(endpointServer.close);
    const service = await startService({ ROLES: 'api,webhooks', WEBHOOK_ALLOW_PRIVATE: 'true' });
    onTestFinished(service.close);
    const webhook = { url: `http://127.0.0.1:${endpointServer.port}/hook`, events: ['image.expired'] };
    const { id } = await service.acme.submit({ prompt: 'Expires unread', queue_ttl_s: 1, webhook });
    await arrived(endpointServer.requests, 1);
    expect(JSON.parse(endpointServer.requests[0]?.body ?? '')).toMatchObject({
      type: 'image.expired',
      data: { id, status: 'expired' },
    });
  });
});
