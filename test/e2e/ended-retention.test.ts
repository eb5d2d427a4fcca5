import { beforeAll, describe, expect, it } from 'vitest';
import { readEvents } from '../support/event-stream.ts';
import { startGeneration } from '../support/openai-requests.ts';
import { queryRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

/** Ends the retention of the images of a job. The sweeper has not deleted them yet. */
const endRetention = (id: string) =>
  queryRedis(service.env.REDIS_URL ?? '', async (redis) => {
    const [key = ''] = await redis.keys(`*${service.env.REDIS_KEY_PREFIX}*:job:${id}`);
    const job = JSON.parse((await redis.get(key)) ?? '');
    await redis.set(key, JSON.stringify({ ...job, mediaExpiresAt: Date.now() }));
  });

describe('an image whose retention has ended, before it is deleted', () => {
  it('is neither downloaded nor an input of another job', async () => {
    const { id } = await service.acme.generate({ prompt: 'A fox of yesterday' });
    await service.acme.post(`/images/${id}/variations`).expect(202);
    await endRetention(id);
    await service.acme.get(`/images/${id}/content/0`).expect(404);
    await service.acme.post(`/images/${id}/variations`).expect(404);
    const edit = { prompt: 'Add snow', images: [{ image_id: id }] };
    expect((await service.acme.post('/images').send(edit).expect(422)).body.code).toBe('input_invalid');
  });

  it('has no preview any more, in no event and behind no link', async () => {
    const retention = { media_s: 600 };
    const job = await service.acme.generate({ prompt: 'A fox at dawn', partial_images: 1, retention });
    const previews = async () =>
      (await readEvents(service.url, job.id)).flatMap(({ partial_image }) => partial_image ?? []);
    const [preview] = await previews();
    expect(preview?.url_expires_at).toBe(job.images[0]?.url_expires_at);
    await endRetention(job.id);
    await service.acme.get(`/images/${job.id}/content/0?partial=0`).expect(404);
    expect(await previews()).toEqual([]);
  });

  it('is not sent to a repeated request of an OpenAI client', async () => {
    const send = () =>
      startGeneration(
        service.url,
        { prompt: 'A fox with a key' },
        { headers: { 'idempotency-key': 'yesterday' } },
      ).response;
    const { headers } = await send();
    await endRetention(`${headers['x-darkroom-job-id']}`);
    expect(await send()).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});
