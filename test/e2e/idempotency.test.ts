import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCaller } from '../support/caller.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

const submit = (body: Record<string, unknown>, key: string) =>
  service.acme.post('/images').set('idempotency-key', key).send(body);

describe('an Idempotency-Key', () => {
  it('a repeated key with the same body returns the same job, with 200 once it has ended', async () => {
    const key = randomUUID();
    const body = { prompt: 'Submitted twice [studio:latency=300]', metadata: { a: '1', b: '2' } };
    const first = await submit(body, key).expect(202);
    const whileOpen = await submit(body, key).expect(202).expect('idempotent-replayed', 'true');
    await service.acme.ended(first.body.id);
    const whenEnded = await submit(body, key).expect(200).expect('idempotent-replayed', 'true');

    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(whileOpen.body.id).toBe(first.body.id);
    expect(whenEnded.body).toMatchObject({ id: first.body.id, status: 'succeeded' });
    expect(imageCalls(service.studio, 'Submitted twice')).toHaveLength(1);
  });

  it('a key is the same quoted or bare, and the order of body fields does not matter', async () => {
    const key = randomUUID();
    const bare = await submit({ prompt: 'In any order', metadata: { a: '1', b: '2' } }, key);
    const quoted = await submit({ metadata: { b: '2', a: '1' }, prompt: 'In any order' }, `"${key}"`);
    expect(quoted.body.id).toBe(bare.body.id);
  });

  it('a repeated key with another body is refused with 422 and creates no job', async () => {
    const key = randomUUID();
    await submit({ prompt: 'The first body' }, key).expect(202);
    const { body } = await submit({ prompt: 'The second body' }, key)
      .expect(422)
      .expect('content-type', /^application\/problem\+json/)
      .expect('x-should-retry', 'false');
    expect(body.code).toBe('idempotency_key_reused');
    expect(imageCalls(service.studio, 'The second body')).toEqual([]);
  });

  it.each([
    ['without characters', ''],
    ['of two words', 'two words'],
    ['beyond ASCII', Buffer.from('schlüssel').toString('latin1')],
    ['of 256 characters', 'k'.repeat(256)],
    ['of 2,000 characters', 'k'.repeat(2000)],
  ])('a key %s is refused with 400, in a dry run too', async (_what, key) => {
    for (const path of ['/images', '/images?dry_run=true']) {
      const { body } = await service.acme
        .post(path)
        .set('idempotency-key', key)
        .send({ prompt: 'A bad key' })
        .expect(400);
      expect(body).toMatchObject({ code: 'invalid_idempotency_key', retryable: false });
    }
    expect(imageCalls(service.studio, 'A bad key')).toEqual([]);
  });

  it('tenants can use the same key for different jobs', async () => {
    const key = randomUUID();
    const body = { prompt: 'Two tenants, one key' };
    const mine = await submit(body, key).expect(202);
    const theirs = await service.other.post('/images').set('idempotency-key', key).send(body).expect(202);
    expect(theirs.body.id).not.toBe(mine.body.id);
    expect(theirs.headers['idempotent-replayed']).toBeUndefined();
  });

  it('the key of an erased job returns 410', async () => {
    const key = randomUUID();
    const first = await submit({ prompt: 'Used and erased' }, key).expect(202);
    await service.acme.ended(first.body.id);
    await service.acme.delete(`/images/${first.body.id}`).expect(204);
    const { body } = await submit({ prompt: 'Used and erased' }, key).expect(410);
    expect(body.code).toBe('erased');
  });

  it('fifty concurrent requests with one key create one job', async () => {
    const key = randomUUID();
    const body = { prompt: 'Many at once' };
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        createCaller(service.url)
          .post('/images')
          .set('idempotency-key', i % 2 ? key : `"${key}"`)
          .send(body)
          // A replay returns 200 once the job has ended.
          .expect(({ status }) => expect([200, 202]).toContain(status)),
      ),
    );
    const ids = new Set(responses.map((response) => response.body.id));
    expect(ids.size).toBe(1);
    expect(responses.filter((response) => !response.headers['idempotent-replayed'])).toHaveLength(1);
    await service.acme.ended([...ids][0]);
    expect(imageCalls(service.studio, 'Many at once')).toHaveLength(1);
  });
});
