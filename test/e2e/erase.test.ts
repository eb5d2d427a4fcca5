import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import supertest from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { jobThat } from '../support/caller.ts';
import { eventually } from '../support/eventually.ts';
import { readApiDocument } from '../support/openapi-document.ts';
import { pendingDeliveries } from '../support/pending-deliveries.ts';
import { queryRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls } from '../support/service-environment.ts';
import { startEndpointServer } from '../support/webhook-endpoints.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  return service.close;
});

const files = async (folder: string) =>
  (await readdir(`${service.dataDir}/${folder}`, { recursive: true }).catch(() => [])).filter((name) =>
    name.includes('.'),
  );

/** Returns every key of the deployment whose name or value contains a text. */
async function keysHolding(text: string): Promise<string[]> {
  const { REDIS_URL = '', REDIS_KEY_PREFIX = '' } = service.env;
  return queryRedis(REDIS_URL, async (redis) => {
    const found: string[] = [];
    for (const key of await redis.keys(`*${REDIS_KEY_PREFIX}*`)) {
      const dump = await redis.dump(key);
      const plain = (await redis.type(key)) === 'string' ? ((await redis.get(key)) ?? '') : String(dump);
      if (key.includes(text) || plain.includes(text)) found.push(key);
    }
    return found;
  });
}

describe('an erased job', () => {
  it('an erased job is 410 on every route, in no list, without links and without files', async () => {
    const job = await service.acme.generate({ prompt: 'Erase me', metadata: { who: 'me' } });
    const [file] = (await files('images')).filter((name) => name.includes(job.id));
    expect(file).toBeTruthy();

    const { text } = await service.acme.delete(`/images/${job.id}`).expect(204);
    expect(text).toBe('');
    for (const { id: operation, method, path } of readApiDocument().operations) {
      // A charge of an erased job can still be settled, with another scope.
      if (!path.startsWith('/images/{id}') || operation === 'settleJob') continue;
      const { status, body } = await service.acme[method.toLowerCase() as 'get' | 'post' | 'delete'](
        path.replace('{id}', job.id).replace('{index}', '0'),
      );
      expect([status, body.code], operation).toEqual([410, 'erased']);
    }
    await supertest(job.images[0]?.url ?? '')
      .get('')
      .expect(404);
    for (const query of ['', '?status=succeeded', '?metadata[who]=me']) {
      const { body } = await service.acme.get(`/images${query}`).expect(200);
      expect(body.data.map((each: { id: string }) => each.id)).not.toContain(job.id);
    }
    expect((await files('images')).filter((name) => name.includes(job.id))).toEqual([]);
  });

  it('an erased job leaves no word of its prompt, description or metadata in Redis', async () => {
    const word = `w${randomUUID().replaceAll('-', '')}`;
    const job = await service.acme.generate({
      prompt: `A sign that says "${word}"`,
      enhance: 'always',
      metadata: { note: word },
      webhook: { url: `http://127.0.0.1:1024/${word}`, events: ['image.failed'] },
    });
    expect(job.prompt.enhanced).toContain(word);
    expect(await keysHolding(word)).not.toEqual([]);
    await service.acme.delete(`/images/${job.id}`).expect(204);
    expect(await keysHolding(word)).toEqual([]);
  });

  it('erasing a running job aborts its call and stores no image later', async () => {
    const { id } = await service.acme.submit({ prompt: 'Erased while drawn [studio:latency=20000]' });
    await jobThat(service.acme, id, (job) => job.stage === 'generating');
    await service.acme.delete(`/images/${id}`).expect(204);

    await eventually(() => {
      const [call] = imageCalls(service.studio, 'Erased while drawn');
      expect(call?.endedAt).not.toBeNull();
      expect(call?.aborted).toBe(true);
    });
    await service.acme.get(`/images/${id}`).expect(410);
    expect((await files('images')).filter((name) => name.includes(id))).toEqual([]);
    expect((await files('spool')).filter((name) => name.includes(id))).toEqual([]);
  });

  it('an erased job sends no further webhook, not even a scheduled retry', async () => {
    const refusing = await startEndpointServer((_request, response) => response.writeHead(500).end());
    const webhook = { url: `http://127.0.0.1:${refusing.port}/` };
    const { id } = await service.acme.submit({ prompt: 'Silenced [studio:hang]', webhook });
    await jobThat(service.acme, id, (job) => job.stage === 'generating');
    await eventually(async () => {
      const waiting = (await pendingDeliveries(service.env)).filter((delivery) => delivery.attempts === 1);
      expect(waiting.map((delivery) => delivery.type).sort()).toEqual(['image.queued', 'image.started']);
    });
    await service.acme.delete(`/images/${id}`).expect(204);

    expect(await pendingDeliveries(service.env)).toEqual([]);
    expect(refusing.requests).toHaveLength(2);
    await refusing.close();
  });
});
