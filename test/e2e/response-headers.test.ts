import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readApiDocument } from '../support/openapi-document.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
let publicJob: string;
beforeAll(async () => {
  service = await startService();
  publicJob = (await service.acme.generate({ prompt: 'For the headers' })).id;
});
afterAll(() => service.close());

/** Returns the response headers of the API document, except the one that browsers always show. */
const documentedHeaders = () =>
  [
    ...new Set(
      readApiDocument()
        .operations.flatMap(({ responses }) => Object.values(responses))
        .flatMap(({ headers }) => Object.keys(headers ?? {})),
    ),
  ].filter((name) => name !== 'cache-control');

const anonymous = () => supertest(service.url);

describe('every response', () => {
  it.each([
    ['a job', () => service.acme.get(`/images/${publicJob}`)],
    ['a page of jobs', () => service.acme.get('/images')],
    ['an image', () => service.acme.get(`/images/${publicJob}/content/0`)],
    ['a stream', () => service.acme.get(`/images/${publicJob}/events`)],
    ['an unchanged job', () => service.acme.get(`/images/${publicJob}`).set('if-none-match', '*')],
    ['a refused submission', () => service.acme.post('/images').send({})],
    ['a request without a key', () => anonymous().get('/images')],
    ['an altered link', () => anonymous().get(`/files/acme/${publicJob}/0.png?signature=x`)],
    ['an unknown address', () => anonymous().get('/nothing')],
    ['an address that cannot be decoded', () => anonymous().get('/images/%zz')],
    ['a method the address does not have', () => anonymous().put('/images')],
    [
      'a result for an agent',
      () =>
        service.acme
          .post('/mcp')
          .set('accept', 'application/json, text/event-stream')
          .send({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    ],
    ['a probe', () => anonymous().get('/livez')],
    ['the metrics', () => anonymous().get('/metrics')],
    ['the document', () => anonymous().get('/openapi.json')],
    ['the page of the document', () => anonymous().get('/docs/api')],
  ])('every response has x-request-id and nosniff and names no software: %s', async (_, request) => {
    const { headers } = await request();

    expect(headers['x-request-id']).toMatch(/^req_[0-9A-Z]{26}$/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers.server).toBeUndefined();
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('a valid x-request-id of the caller is used, and an invalid one replaced', async () => {
    const given = await anonymous().get('/nothing').set('x-request-id', 'shop-4711.try:2');
    const unfit = await anonymous().get('/nothing').set('x-request-id', '"><script>');

    expect(given.headers['x-request-id']).toBe('shop-4711.try:2');
    expect(given.body.request_id).toBe('shop-4711.try:2');
    expect(unfit.headers['x-request-id']).toMatch(/^req_/);
  });

  it('a response with a job is never cached', async () => {
    const accepted = await service.acme.post('/images').send({ prompt: 'Never cached' }).expect(202);
    const read = await service.acme.get(`/images/${accepted.body.id}`).expect(200);

    expect(accepted.headers['cache-control']).toBe('no-store');
    expect(read.headers['cache-control']).toBe('no-cache');
    await service.acme.ended(accepted.body.id);
  });
});

describe('a page of another site', () => {
  const preflight = (url: string, origin: string, method = 'POST') =>
    supertest(url)
      .options('/images')
      .set('origin', origin)
      .set('access-control-request-method', method)
      .set('access-control-request-headers', 'authorization,content-type,idempotency-key');

  it('a page of another origin may not call if no origin is configured', async () => {
    const { headers } = await preflight(service.url, 'https://app.example.com').expect(405);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('a page of a configured origin may call, and no other page may', async () => {
    const open = await startService({ CORS_ORIGINS: 'https://app.example.com,https://www.example.com' });
    try {
      const welcome = await preflight(open.url, 'https://app.example.com').expect(204);
      const stranger = await preflight(open.url, 'https://elsewhere.example');
      const call = await open.acme.get('/images').set('origin', 'https://www.example.com').expect(200);

      expect(welcome.headers).toMatchObject({
        'access-control-allow-origin': 'https://app.example.com',
        'access-control-allow-headers': 'authorization,content-type,idempotency-key',
        'access-control-allow-methods': expect.stringContaining('POST'),
        vary: expect.stringMatching(/origin/i),
      });
      expect(welcome.headers['access-control-allow-credentials']).toBeUndefined();
      expect(stranger.headers['access-control-allow-origin']).toBeUndefined();
      expect(call.headers['access-control-allow-origin']).toBe('https://www.example.com');
      const exposed = `${call.headers['access-control-expose-headers']}`.split(', ');
      expect(exposed).toEqual(expect.arrayContaining([...documentedHeaders(), 'x-ratelimit-reset-requests']));
      for (const refused of [
        open.acme.delete('/images').expect(405),
        open.acme.get('/nowhere').expect(404),
      ]) {
        const { headers } = await refused.set('origin', 'https://app.example.com');
        expect(headers['access-control-allow-origin']).toBe('https://app.example.com');
      }
      // An OPTIONS request that is no preflight has no body in plain text.
      const plain = await supertest(open.url).options('/images').expect(204);
      expect(plain.text).toBe('');
      for (const method of ['DELETE', 'PATCH']) {
        const { headers } = await preflight(open.url, 'https://app.example.com', method);
        expect(headers['access-control-allow-methods']).toContain(method);
      }
    } finally {
      await open.close();
    }
  });
});

describe('the page of the document', () => {
  it.each(['/docs/api', '/docs/api/'])(
    'the page at %s loads its assets from the service, and its policy allows them',
    async (path) => {
      const page = await anonymous()
        .get(path)
        .expect(200)
        .expect('content-type', /^text\/html/);
      const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(
        ([, link = '']) => new URL(link, `${service.url}${path}`).pathname,
      );

      expect(assets.length).toBeGreaterThan(4);
      for (const asset of assets) await anonymous().get(asset).expect(200);
      expect(page.text).not.toMatch(/<script(?![^>]*\bsrc=)/);
      expect(page.text).not.toMatch(/\bon[a-z]+="/);
      const policy = page.headers['content-security-policy'];
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      // With this directive a page over plain http would request its assets by https, which the service does not serve.
      expect(policy).not.toContain('upgrade-insecure-requests');
      expect(policy).not.toMatch(/https?:|script-src[^;]*unsafe/);
    },
  );

  it('/docs/api shows the document of this service', async () => {
    const shown = await anonymous().get('/docs/api/json').expect(200);
    const served = await anonymous().get('/openapi.json').expect(200);

    expect(shown.body).toEqual(served.body);
  });
});
