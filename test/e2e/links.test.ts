import { createHash } from 'node:crypto';
import supertest from 'supertest';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createFileLinks } from '../../src/lib/crypto/file-link.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('a link', () => {
  it('a link works without a key and is always served as an image', async () => {
    const job = await service.acme.generate({ prompt: 'A linked image' });
    const url = job.images[0]?.url ?? '';

    const { body } = await supertest(url)
      .get('')
      .expect(200)
      .expect('content-type', 'image/png')
      .expect('x-content-type-options', 'nosniff')
      .expect('content-disposition', `inline; filename="${job.id}-0.png"`)
      .expect('cache-control', /immutable/);
    expect(sha256(body)).toBe(job.images[0]?.sha256);
    expect(Date.parse(job.images[0]?.url_expires_at ?? '')).toBeGreaterThan(Date.now());
  });

  it('a link expires no later than its image', async () => {
    const job = await service.acme.generate({ prompt: 'Kept for a minute', retention: { media_s: 60 } });
    expect(job.images[0]?.url_expires_at).toBe(job.expires_at);
  });

  it('a cache keeps an image no longer than its retention', async () => {
    const job = await service.acme.generate({ prompt: 'Cached for a minute', retention: { media_s: 60 } });
    const remaining = () => (Date.parse(job.expires_at ?? '') - Date.now()) / 1000 + 1;
    const maxAge = (headers: Record<string, string>) =>
      Number(/max-age=(\d+)/.exec(headers['cache-control'] ?? '')?.[1]);
    const { headers: ofLink } = await supertest(job.images[0]?.url ?? '')
      .get('')
      .expect(200);
    expect(maxAge(ofLink)).toBeLessThanOrEqual(remaining());
    const { headers: ofRoute } = await service.acme.get(`/images/${job.id}/content/0`).expect(200);
    expect(maxAge(ofRoute)).toBeLessThanOrEqual(remaining());
  });

  it('a job shows no image from the end of its retention on, before the sweeper has deleted it', async () => {
    const job = await service.acme.generate({ prompt: 'Over', retention: { media_s: 60 } });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(job.expires_at ?? '') });
    onTestFinished(() => void vi.useRealTimers());
    expect((await service.acme.job(job.id)).images).toEqual([]);
    await service.acme.get(`/images/${job.id}/content/0`).expect(404);
  });

  it('an altered link is refused', async () => {
    const first = await service.acme.generate({ prompt: 'One of two' });
    const second = await service.acme.generate({ prompt: 'Two of two' });
    const url = new URL(first.images[0]?.url ?? '');
    const altered = (change: (copy: URL) => void) => {
      const copy = new URL(url);
      change(copy);
      return copy.href;
    };

    for (const link of [
      altered((copy) =>
        copy.searchParams.set('expires', String(Number(copy.searchParams.get('expires')) + 1)),
      ),
      altered((copy) => copy.searchParams.set('type', 'text/html')),
      altered((copy) => copy.searchParams.set('name', 'other.png')),
      altered((copy) => copy.searchParams.delete('signature')),
      altered((copy) => {
        copy.pathname = copy.pathname.replace(first.id, second.id);
      }),
    ]) {
      const { body } = await supertest(link).get('').expect(403);
      expect(body.code).toBe('link_expired');
    }
  });

  it('an expired link is refused', async () => {
    const job = await service.acme.generate({ prompt: 'A short-lived link' });
    const linkUntil = (expiresAtMs: number) =>
      createFileLinks(Buffer.from(service.env.SECRETS_KEY ?? '', 'base64')).sign({
        key: new URL(job.images[0]?.url ?? '').pathname.slice('/files/'.length),
        expiresAtMs,
        contentType: 'image/png',
        fileName: 'image.png',
      });

    await supertest(service.url)
      .get(linkUntil(Date.now() + 60_000))
      .expect(200);
    await supertest(service.url)
      .get(linkUntil(Date.now() - 1000))
      .expect(403);
  });
});

describe('a public address', () => {
  it('all links of a job use PUBLIC_URL with its path', async () => {
    const { acme, close } = await startService({ PUBLIC_URL: 'https://images.example/darkroom/' });
    onTestFinished(close);
    const job = await acme.generate({ prompt: 'Behind a proxy' });
    const [image] = job.images;
    for (const link of [...Object.values(job.urls), image?.url]) {
      expect(link).toMatch(/^https:\/\/images\.example\/darkroom\/(images|files)\//);
    }
    // A path is valid for every address of the service.
    expect(image?.content_url).toBe(`/images/${job.id}/content/0`);
  });
});

describe('a host from a trusted proxy', () => {
  it('links use the host from a trusted proxy, and an invalid host is refused', async () => {
    const { acme, close } = await startService({ TRUST_PROXY: '127.0.0.1' });
    onTestFinished(close);
    const { id } = await acme.generate({ prompt: 'Behind a trusted proxy' });
    const { body } = await acme
      .get(`/images/${id}`)
      .set({ 'x-forwarded-host': 'images.example', 'x-forwarded-proto': 'https' })
      .expect(200);
    expect(body.urls.self).toBe(`https://images.example/images/${id}`);
    for (const forged of [{ 'x-forwarded-host': '"><script>' }, { 'x-forwarded-proto': 'javascript' }]) {
      const refused = await acme.get(`/images/${id}`).set(forged).expect(400);
      expect(refused.body.code).toBe('invalid_request');
    }
  });
});
