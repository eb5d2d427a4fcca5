import { beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

describe('a number in a body', () => {
  it.each([
    ['{"prompt":"Seeded","provider_options":{"seed":12345678901234567890}}', '/provider_options/seed'],
    ['{"prompt":"Dear","max_cost_micro_usd":1e23}', '/max_cost_micro_usd'],
    ['{"prompt":"Dear","max_cost_micro_usd":9007199254740992}', '/max_cost_micro_usd'],
  ])('a number that cannot be stored exactly is refused: %s', async (text, pointer) => {
    const { body } = await service.acme.post('/images').type('application/json').send(text).expect(422);
    expect(body.errors).toEqual([expect.objectContaining({ pointer })]);
  });
});

describe('a number in a query or a path', () => {
  it.each(['0x5', '1e1', '%2B5', '%205', '5%20', '05', '5.0', '-1', '', '1_0', '99999999999999999999'])(
    'a query number spelled as %j is refused',
    async (text) => {
      const { id } = await service.acme.submit({ prompt: 'Numbers' });
      const { body: ofLimit } = await service.acme.get(`/images?limit=${text}`).expect(422);
      const { body: ofWait } = await service.acme.get(`/images/${id}?wait=${text}`).expect(422);
      expect(ofLimit.errors).toEqual([expect.objectContaining({ pointer: '/query/limit' })]);
      expect(ofWait.errors).toEqual([expect.objectContaining({ pointer: '/query/wait' })]);
    },
  );

  it('plain numbers and booleans in a query are accepted', async () => {
    const { body } = await service.acme.get('/images?limit=1').expect(200);
    expect(body.data).toHaveLength(1);
    await service.acme.get(`/images/${body.data[0].id}?wait=0`).expect(200);
    await service.acme.post('/images?dry_run=true').send({ prompt: 'Dry run' }).expect(200);
    await service.acme.post('/images?dry_run=1').send({ prompt: 'Dry run' }).expect(422);
  });

  it.each(['00', '0x0', '0e0', '+0', '%200', '-0'])('the image index %s is refused', async (index) => {
    const { id } = await service.acme.generate({ prompt: 'One image' });
    await service.acme.get(`/images/${id}/content/0`).expect(200);
    await service.acme.get(`/images/${id}/content/${index}`).expect(422);
  });
});
