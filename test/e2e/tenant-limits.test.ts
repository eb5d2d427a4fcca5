import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { noiseImage } from '../support/images.ts';
import { connectMcp } from '../support/mcp-client.ts';
import { scrape } from '../support/scrape.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({
    MAX_STORED_JOBS: '6',
    MAX_UPLOADS: '1',
    MAX_OPEN_STREAMS: '1',
    MODERATION_MAX_BLOCKS: '2',
    MODERATION_THROTTLE_S: '3',
    FREE_RECORD_TTL_S: '3600',
  });
});
afterAll(() => service.close());

const request = { prompt: 'A fox', quality: 'low' };

describe('the records of a tenant', () => {
  it('are limited in number, also if every job was canceled for free, and leave other tenants alone', async () => {
    const keyed = service.acme.post('/images').set('idempotency-key', 'first').send(request);
    const { body: first } = await keyed.expect(202);
    for (let no = 1; no < 6; no += 1) {
      const { id } = await service.acme.submit(request);
      await service.acme.post(`/images/${id}/cancel`);
    }
    const { body, headers } = await service.acme.post('/images').send(request).expect(403);
    expect(body).toMatchObject({ code: 'too_many_records', retryable: false });
    expect(headers['x-should-retry']).toBe('false');
    const repeated = await service.acme.post('/images').set('idempotency-key', 'first').send(request);
    expect(repeated.body.id).toBe(first.id);
    await service.acme.post('/v1/images/generations').send(request).expect(403);
    await service.other.submit(request);
  });

  it('stay for FREE_RECORD_TTL_S if their job made no paid call', async () => {
    const { id } = await service.other.submit({ ...request, prompt: '[studio:latency=2000] slow' });
    await service.other.post(`/images/${id}/cancel`).expect(200);
    const { body } = await service.other.get(`/images/${id}`).expect(200);
    const keptMs = Date.parse(body.expires_at) - Date.parse(body.finished_at);
    expect(keptMs).toBe(body.cost.billing === 'none' ? 3_600_000 : 30 * 24 * 3_600_000);
  });
});

describe('the uploads and streams of a tenant', () => {
  it('are limited in number', async () => {
    const file = await noiseImage(16, 16);
    await service.acme.post('/uploads').attach('file', file, 'a.png').expect(201);
    const { body } = await service.acme.post('/uploads').attach('file', file, 'a.png').expect(409);
    expect(body.code).toBe('too_many_uploads');

    const stop = new AbortController();
    const headers = { authorization: service.acme.get('/events').get('authorization') ?? '' };
    const open = () => fetch(`${service.url}/events`, { headers, signal: stop.signal });
    expect((await open()).status).toBe(200);
    const second = await open();
    expect(second.status).toBe(429);
    expect(await second.json()).toMatchObject({ code: 'too_many_requests' });
    stop.abort();
    await vi.waitFor(
      async () => {
        const again = new AbortController();
        const { status } = await fetch(`${service.url}/events`, { headers, signal: again.signal });
        again.abort();
        expect(status).toBe(200);
      },
      { timeout: 10_000 },
    );
  });
});

describe('an agent of a tenant with too many open streams', () => {
  it('gets the job at once instead of waiting for its images', async () => {
    const stop = new AbortController();
    const headers = { authorization: `Bearer ${testKeys.other}` };
    const stream = await fetch(`${service.url}/events`, { headers, signal: stop.signal });
    expect(stream.status).toBe(200);
    const agent = await connectMcp(service, { key: testKeys.other });
    const prompt = 'A slow owl [studio:latency=20000]';
    const { structuredContent } = await agent.callTool({ name: 'generate_image', arguments: { prompt } });
    stop.abort();
    const { id, status } = structuredContent as { id: string; status: string };
    expect(['queued', 'running']).toContain(status);
    await service.other.post(`/images/${id}/cancel`).expect(200);
  });
});

describe('a tenant whose prompts are blocked repeatedly', () => {
  it('gets no new jobs for a while, and other tenants are not affected', async () => {
    const blocked = { ...request, prompt: 'Bad [studio:moderation]' };
    const jobs = [await service.other.generate(blocked), await service.other.generate(blocked)];
    expect(jobs.map(({ error }) => error?.code)).toEqual(['moderation_blocked', 'moderation_blocked']);
    const { body, headers } = await service.other.post('/images').send(request).expect(429);
    expect(body).toMatchObject({ code: 'moderation_throttled', retryable: true });
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(3);
    // The other tenant is refused for its records only.
    expect((await service.acme.post('/images').send(request)).body.code).toBe('too_many_records');
    const metrics = await scrape(service.url);
    expect(metrics.value('darkroom_moderation_throttles_total')).toBe(1);
    await vi.waitFor(
      async () => {
        await service.other.post('/images').send(request).expect(202);
      },
      { timeout: 10_000, interval: 200 },
    );
  });
});
