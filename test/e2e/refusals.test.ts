import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCaller } from '../support/caller.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

describe('a field that is refused', () => {
  it.each([
    [{ preset: { name: 'avatar', variables: { zz: 5 } } }, '/preset/variables/zz', 'must be string'],
    [{ preset: { name: 'avatar', zz: 1 } }, '/preset/zz', 'is not a known field'],
    [
      { metadata: { ['k'.repeat(65)]: 'v' } },
      `/metadata/${'k'.repeat(65)}`,
      'its name must NOT have more than 64 characters',
    ],
    [{ 'a/b~c': 1 }, '/a~1b~0c', 'is not a known field'],
    [{ size: '01024x1024' }, '/size', expect.stringContaining('must be one of')],
    [{ preset: null }, '/preset', 'must be string or object'],
    [{ enhance: null }, '/enhance', 'must be one of off, auto, always'],
    [{ max_cost_micro_usd: 1.5 }, '/max_cost_micro_usd', 'must be integer'],
  ])(
    'an invalid field is reported once with its pointer and its fault: %j',
    async (fields, pointer, detail) => {
      const { body } = await service.acme
        .post('/images')
        .send({ prompt: 'Refused', model: 'gpt-image-2.5-flare', ...fields })
        .expect(422);
      expect(body.errors).toEqual([{ pointer, detail }]);
    },
  );

  it.each([
    [{ limits: { requests_per_minute: 0 } }, '/limits/requests_per_minute', 'must be >= 1'],
    [{ limits: { requests_per_minute: 'x' } }, '/limits/requests_per_minute', 'must be integer or null'],
    [{ limits: 5 }, '/limits', 'must be object or null'],
    [{ expires_at: 'soon' }, '/expires_at', 'must match format "date-time"'],
    [{ models: [] }, '/models', 'must NOT have fewer than 1 items'],
  ])(
    'a field that may be null is reported once, by the rule that it breaks: %j',
    async (fields, ...issue) => {
      const admin = createCaller(service.url, testKeys.admin);
      const body = { tenant: 'acme', name: 'Refused', scopes: ['images:read'], ...fields };
      const response = await admin.post('/keys').send(body).expect(422);
      const [pointer, detail] = issue;
      expect(response.body.errors).toEqual([{ pointer, detail }]);
    },
  );

  it('at most a hundred invalid fields are reported', async () => {
    const variables = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`v${i}`, 1]));
    const manyFields = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`f${i}`, 1]));
    for (const fields of [{ preset: { name: 'avatar', variables } }, manyFields]) {
      const { body } = await service.acme
        .post('/images')
        .send({ prompt: 'x', ...fields })
        .expect(422);
      expect(body.errors.length).toBeLessThanOrEqual(100);
    }
    const { body } = await service.acme
      .post('/images/img_00000000000000000000000000/cancel')
      .send(manyFields)
      .expect(422);
    expect(body.errors).toHaveLength(100);
  });

  it.each(['{"prompt":"x","__proto__":{"n":10}}', '{"prompt":"x","metadata":{"__proto__":"y"}}'])(
    'a field named __proto__ is refused: %s',
    async (text) => {
      const { body } = await service.acme.post('/images').type('json').send(text).expect(422);
      expect(body).toMatchObject({ code: 'validation_failed', errors: [{ pointer: '' }] });
      expect(body.errors[0].detail).toContain('__proto__');
      expect(body.error.param).toBeNull();
    },
  );

  it('a submission without a body is refused like a body of another type', async () => {
    const { body } = await service.acme.post('/images').expect(422);
    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ pointer: '' }] });
  });

  it('a slash at the end of a path has no meaning', async () => {
    await service.acme.post('/images/').send({ prompt: 'x', nothing: 1 }).expect(422);
    await service.acme.post('/images/?dry_run=true').send({ prompt: 'x' }).expect(200);
    const { body } = await service.acme.get('/images/').expect(200);
    expect(body.object).toBe('list');
  });

  it('error.param names a field without the escapes of a pointer', async () => {
    const { body } = await service.acme.post('/images').send({ prompt: 'x', 'a/b~c': 1 }).expect(422);
    expect(body.error.param).toBe('a/b~c');
  });
});

describe('an image that is not there', () => {
  it.each([1, 9, 10, 99, 99_999_999_999])(
    'the content of the missing image %i is 404, as for an unknown job',
    async (index) => {
      const job = await service.acme.generate({ prompt: 'Only one' });
      await service.acme.get(`/images/${job.id}/content/${index}`).expect(404);
      await service.acme.get(`/images/img_00000000000000000000000000/content/${index}`).expect(404);
    },
  );
});

describe('an address or a method that is not there', () => {
  it.each([
    ['PUT', '/images', 'GET, HEAD, POST'],
    ['QUERY', '/images', 'GET, HEAD, POST'],
    ['PATCH', '/images/img_1/content/0?partial=1', 'GET, HEAD'],
    ['POST', '/docs/money', 'GET, HEAD'],
    ['POST', '/nowhere', null],
  ])('%s %s is refused for its address or method, whatever the body is', async (method, path, allow) => {
    for (const [type, body] of [
      ['text/plain', 'words'],
      ['application/json', '{broken'],
    ] as const) {
      const response = await fetch(service.url + path, { method, body, headers: { 'content-type': type } });
      expect(response.status).toBe(allow ? 405 : 404);
      expect(response.headers.get('allow')).toBe(allow);
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
  });

  it.each([
    ['/docs/api/static/../../../secret', /^HTTP\/1\.1 404 /],
    ['/docs/api/static/%00', /^HTTP\/1\.1 400 /],
  ])('a malformed path below /docs/api is a client error: %s', async (path, start) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n`);
    const response = await text(socket);
    expect(response).toMatch(start);
    expect(response).toContain('application/problem+json');
  });
});

describe('the type of a problem', () => {
  it.each([
    ['/images/img_none', 404],
    ['/images?limit=0', 422],
    ['/nowhere', 404],
  ])('the type of a problem is a link to a page that explains its code: %s', async (path, status) => {
    const { body } = await service.acme.get(path).expect(status);
    const link = new URL(body.type);
    expect(link.href).toBe(`${service.url}/docs/errors#${body.code}`);
    const page = await fetch(link);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain(`<tr id="${body.code}">`);
  });
});
