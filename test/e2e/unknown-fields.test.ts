import { beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../support/caller.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

const url = 'https://receiver.invalid/hooks';
const endpointOf = async (caller: Caller): Promise<string> =>
  (await caller.post('/webhooks/endpoints').send({ url }).expect(201)).body.id;
const failedJob = async () => (await service.acme.generate({ prompt: 'Refused [studio:moderation]' })).id;

describe('a route without body fields', () => {
  it('a retry with unknown fields is refused and creates no job', async () => {
    const id = await failedJob();
    const before = service.studio.calls.length;
    const { body } = await service.acme
      .post(`/images/${id}/retry`)
      .send({ prompt: 'changed', n: 5, 'a/b': 1 })
      .expect(422);
    await service.acme.post(`/images/${id}/retry?dry_run=true&foo=1`).expect(422);

    expect(body).toMatchObject({ code: 'validation_failed', error: { param: 'prompt' } });
    expect(body.errors.map((issue: { pointer: string }) => issue.pointer)).toEqual([
      '/prompt',
      '/n',
      '/a~1b',
    ]);
    const { body: list } = await service.acme.get('/images?limit=1').expect(200);
    expect(list.data[0].id).toBe(id);
    expect(service.studio.calls).toHaveLength(before);
  });

  it.each([
    ['POST', '/images/{job}/retry'],
    ['POST', '/images/{job}/cancel'],
    ['DELETE', '/images/{job}'],
    ['POST', '/webhooks/endpoints/{endpoint}/test'],
    ['DELETE', '/webhooks/endpoints/{endpoint}'],
    ['POST', '/webhooks/deliveries/dlv_00000000000000000000000000/redeliver'],
  ])('%s %s refuses body fields, non-objects and query parameters with pointers', async (method, path) => {
    const [job, endpoint] = [await failedJob(), await endpointOf(service.acme)];
    const at = path.replace('{job}', job).replace('{endpoint}', endpoint);
    const call = (query = '') =>
      method === 'POST' ? service.acme.post(at + query) : service.acme.delete(at + query);
    const pointersOf = async (test: ReturnType<typeof call>) => {
      const { body } = await test.expect(422);
      return body.errors.map((issue: { pointer: string }) => issue.pointer);
    };
    expect(await pointersOf(call().send({ bogus: 1 }))).toEqual(['/bogus']);
    expect(await pointersOf(call().send([]))).toEqual(['']);
    expect(await pointersOf(call().type('application/json').send('null'))).toEqual(['']);
    expect(await pointersOf(call('?foo=1&bar=2'))).toEqual(['/query/foo', '/query/bar']);
    await service.acme.get(`/images/${job}`).expect(200);
    await service.acme.get(`/webhooks/endpoints/${endpoint}`).expect(200);
  });

  it('a retry accepts no body, an empty body with a content type, and an empty object', async () => {
    const id = await failedJob();
    await service.acme.post(`/images/${id}/retry`).expect(202);
    await service.acme.post(`/images/${id}/retry`).type('application/json').expect(202);
    await service.acme.post(`/images/${id}/retry`).send({}).expect(202);
    // curl sends this for `-d ''`.
    await service.acme.post(`/images/${id}/retry`).type('form').send('').expect(202);
    await service.acme.post(`/images/${id}/retry`).type('form').send('n=2').expect(415);
  });
});

describe('a query', () => {
  it.each([
    ['/images/{job}?variant=thumbnail', '/query/variant'],
    ['/images/{job}/content/0?variants=thumbnail', '/query/variants'],
    ['/images/{job}/events?after=2', '/query/after'],
    ['/images?modle=gpt-image-2', '/query/modle'],
    ['/models?status=current', '/query/status'],
    ['/webhooks/endpoints/{endpoint}?x', '/query/x'],
  ])('an unknown query parameter is refused: %s', async (path, pointer) => {
    const { id } = await service.acme.generate({ prompt: 'Here' });
    const endpoint = path.includes('{endpoint}') ? await endpointOf(service.acme) : '';
    const at = path.replace('{job}', id).replace('{endpoint}', endpoint);
    const { body } = await service.acme.get(at).expect(422);
    expect(body.errors).toEqual([{ pointer, detail: 'is not a known field' }]);
  });
});

describe('a field that occurs twice', () => {
  it.each([
    ['{"prompt":"A fox","prompt":"A cat"}', '/prompt'],
    ['{"prompt":"A fox","metadata":{"a/b":"1","a/b":"2"}}', '/metadata/a~1b'],
    [String.raw`{"prompt":"A fox","n":1,"\u006e":2}`, '/n'],
  ])(
    'a body with a duplicate field is refused with its pointer and creates no job: %s',
    async (text, pointer) => {
      const before = service.studio.calls.length;
      const { body } = await service.acme
        .post('/images')
        .set('content-type', 'application/json')
        .send(text)
        .expect(422);
      expect(body).toMatchObject({
        code: 'validation_failed',
        errors: [{ pointer, detail: 'occurs more than once' }],
      });
      expect(service.studio.calls).toHaveLength(before);
    },
  );
});
