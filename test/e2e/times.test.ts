import { beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

describe('a leap second', () => {
  const leapSecond = '2016-12-31T23:59:60Z';

  it.each(['created_after', 'created_before'])(
    'a leap second in %s is refused with a pointer',
    async (filter) => {
      const { body } = await service.acme.get(`/images?${filter}=${leapSecond}`).expect(422);
      expect(body).toMatchObject({ code: 'validation_failed', errors: [{ pointer: `/query/${filter}` }] });
      await service.acme.get(`/images?${filter}=2016-12-31T23:59:59Z`).expect(200);
    },
  );

  it('a leap second as the start of a recovery is refused with a pointer', async () => {
    const { body: endpoint } = await service.acme
      .post('/webhooks/endpoints')
      .send({ url: 'https://receiver.example/hook' })
      .expect(201);
    const recover = (since: string) =>
      service.acme.post(`/webhooks/endpoints/${endpoint.id}/recover`).send({ since });
    const { body } = await recover(leapSecond).expect(422);
    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ pointer: '/since' }] });
    await recover('2016-12-31T23:59:59Z').expect(202);
  });
});

it('a date in a filter of jobs is the start of that day in UTC', async () => {
  const job = await service.acme.generate({ prompt: 'Made on a day' });
  const day = job.created_at.slice(0, 10);
  const found = async (filter: string) =>
    (await service.acme.get(`/images?${filter}=${day}`)).body.data.length;
  expect([await found('created_after'), await found('created_before')]).toEqual([1, 0]);
});
