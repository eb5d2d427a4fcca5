import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { jobThat } from '../support/caller.ts';
import { openRaw } from '../support/raw-http.ts';
import { type Scrape, scrape } from '../support/scrape.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';
import { receive } from '../support/webhook-callers.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true', WORKER_CONCURRENCY: '1' });
  return service.close;
});

/** Scrapes until a check passes. Events are counted a moment after the response to the caller. */
const eventually = (check: (seen: Scrape) => void) =>
  vi.waitFor(
    async () => {
      const seen = await scrape(service.url);
      check(seen);
      return seen;
    },
    { timeout: 15_000 },
  );

/** Returns the number of requests to an operation, for example `GET /images`. */
const requests = (seen: Scrape, operation: string, status: number) =>
  seen.value('http_server_request_duration_seconds_count', {
    http_request_method: operation.split(' ')[0] ?? '',
    http_route: operation.split(' ')[1] ?? '',
    http_response_status_code: String(status),
  });

describe('the metrics', () => {
  it('metrics count the request, the stages, the call, the image and the webhooks of a job', async () => {
    const endpointServer = await receive((no) => (no === 1 ? 500 : 204));
    const job = await service.acme.generate({ prompt: 'Counted', webhook: { url: endpointServer.url } });
    const bytes = await service.acme.image(job.id);
    await eventually((seen) => {
      expect(requests(seen, 'POST /images', 202)).toBe(1);
      expect(requests(seen, 'GET /images/:id', 200)).toBeGreaterThanOrEqual(1);
      expect(seen.value('darkroom_jobs_submitted_total', { outcome: 'created' })).toBe(1);
      expect(seen.value('darkroom_jobs_finished_total', { status: 'succeeded', code: 'none' })).toBe(1);
      for (const stage of ['queued', 'generating', 'storing'])
        expect(seen.value('darkroom_stage_duration_seconds_count', { stage }), stage).toBe(1);
      const call = { kind: 'generate', model: job.request.model ?? '', outcome: 'ok' };
      expect(seen.value('darkroom_provider_call_duration_seconds_count', call)).toBe(1);
      expect(seen.value('darkroom_images_stored_total', { content_type: 'image/png' })).toBe(1);
      expect(seen.value('darkroom_images_stored_bytes_total')).toBe(bytes.length);
      const attempts = (outcome: string) =>
        seen.value('darkroom_webhook_attempt_duration_seconds_count', { outcome });
      // The first of three deliveries failed and is due later.
      expect([attempts('http_500'), attempts('delivered')]).toEqual([1, 2]);
      expect(seen.value('darkroom_webhook_deliveries_pending')).toBe(1);
    });
  });

  it('metrics show the size and the limit of the spool', async () => {
    await eventually((seen) => {
      expect(seen.value('darkroom_spool_bytes')).toBe(0);
      expect(seen.value('darkroom_spool_limit_bytes')).toBe(4 * 1024 ** 3);
    });
  });

  it('metrics count refused requests by status', async () => {
    await service.acme.post('/images').send({ prompt: '' }).expect(422);
    await service.acme.get('/images/img_00000000000000000000000000').expect(404);
    await eventually((seen) => {
      expect(requests(seen, 'POST /images', 422)).toBe(1);
      expect(requests(seen, 'GET /images/:id', 404)).toBe(1);
    });
  });

  it('metrics count failed provider calls and the jobs that failed because of them', async () => {
    await service.acme.generate({ prompt: 'Refused [studio:moderation=violence]' });
    await eventually((seen) => {
      const outcome = 'moderation_blocked';
      expect(seen.value('darkroom_provider_call_duration_seconds_count', { outcome })).toBe(1);
      expect(seen.value('darkroom_jobs_finished_total', { status: 'failed', code: outcome })).toBe(1);
    });
  });

  it('metrics show the tasks in each state and the age of the oldest job', async () => {
    const running = await service.acme.submit({ prompt: 'Hangs [studio:hang]' });
    await jobThat(service.acme, running.id, (job) => job.stage === 'generating');
    const waiting = [
      await service.acme.submit({ prompt: 'Waits' }),
      await service.acme.submit({ prompt: 'Waits longer' }),
    ];
    const ageOf = (job: { created_at: string }) => (Date.now() - Date.parse(job.created_at)) / 1000;
    const before = [running, waiting[0]].map((job) => job && ageOf(job));
    const seen = await eventually((now) => {
      const tasks = (state: string) => now.value('darkroom_queue_tasks', { queue: 'jobs', state });
      expect([tasks('waiting'), tasks('active'), tasks('delayed')]).toEqual([2, 1, 0]);
    });
    const after = [running, waiting[0]].map((job) => job && ageOf(job));

    for (const [i, state] of ['running', 'queued'].entries()) {
      const age = seen.value('darkroom_oldest_job_age_seconds', { state });
      expect(age).toBeGreaterThanOrEqual(before[i] ?? Number.NaN);
      expect(age).toBeLessThanOrEqual(after[i] ?? Number.NaN);
    }
    for (const { id } of [...waiting, running]) await service.acme.post(`/images/${id}/cancel`).expect(200);
    await eventually((now) => {
      for (const state of ['queued', 'running'])
        expect(now.value('darkroom_oldest_job_age_seconds', { state })).toBe(0);
    });
  });

  it('the operating guide documents exactly the metrics of the service', async () => {
    const guide = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');
    const named = guide.match(/\b(darkroom|http_server)_[a-z_]+\b/g) ?? [];
    const { names } = await scrape(service.url);
    const ofTheService = [...names].filter((name) => /^(darkroom|http_server)_/.test(name));
    const families = new Set(named.map((name) => name.replace(/_(bucket|count|sum)$/, '')));
    expect([...families].toSorted()).toEqual(ofTheService.toSorted());
  });

  it('metrics count requests whose callers disconnect before and during the response', async () => {
    const { id } = await service.acme.submit({ prompt: 'Left [studio:latency=20000]' });
    const sockets = await Promise.all(
      [`/images/${id}?wait=20`, `/images/${id}/events`].map(async (path) => {
        const { socket, received } = await openRaw(Number(new URL(service.url).port));
        socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${testKeys.acme}\r\n\r\n`);
        return { socket, received };
      }),
    );
    await expect.poll(() => sockets[1]?.received().length).toBeGreaterThan(0);
    for (const { socket } of sockets) socket.destroy();
    await eventually((seen) => {
      expect(requests(seen, 'GET /images/:id', 499)).toBe(1);
      expect(requests(seen, 'GET /images/:id/events', 200)).toBe(1);
    });
    await service.acme.post(`/images/${id}/cancel`).expect(200);
  });
});
