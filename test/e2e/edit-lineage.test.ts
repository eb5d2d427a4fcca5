import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noiseImage, sha256 } from '../support/images.ts';
import { type RecordingProvider, startRecordingProvider } from '../support/recording-provider.ts';
import { startService, type TestService } from '../support/service.ts';

let provider: RecordingProvider;
let service: TestService;
beforeAll(async () => {
  provider = await startRecordingProvider();
  service = await startService(provider.env);
});
afterAll(async () => {
  await service.close();
  await provider.close();
});

const request = { prompt: 'A harbor', model: 'gpt-image-2.6-flare', size: '1024x1024', quality: 'low' };

/** Returns the ids of the jobs that come from a job or an upload. */
async function childrenOf(id: string): Promise<string[]> {
  const { body } = await service.acme.get(`/images?parent=${id}`).expect(200);
  return body.data.map((job: { id: string }) => job.id);
}

describe('the lineage of edits', () => {
  it('a variation edits the image of a job with its request', async () => {
    const parent = await service.acme.generate({ ...request, metadata: { a: 'b' } });
    const { body } = await service.acme.post(`/images/${parent.id}/variations`).send({ n: 2 }).expect(202);
    const job = await service.acme.ended(body.id);

    expect(job).toMatchObject({
      status: 'succeeded',
      parent_id: parent.id,
      metadata: { a: 'b' },
      request: { prompt: request.prompt, quality: 'low', n: 2 },
      inputs: [{ role: 'image', source: { type: 'image', image_id: parent.id, index: 0 } }],
    });
    expect(provider.requests.at(-1)?.path).toBe('/v1/images/edits');
    expect(provider.requests.at(-1)?.files[0]?.sha256).toBe(sha256(await service.acme.image(parent.id)));
    expect(await childrenOf(parent.id)).toEqual([job.id]);
  });

  it('a variation without a body uses the first image, and one with a key is created once', async () => {
    const parent = await service.acme.generate(request);
    const vary = (body?: object) =>
      service.acme
        .post(`/images/${parent.id}/variations`)
        .set('idempotency-key', `vary-${parent.id}`)
        .send(body);
    const first = await vary().expect(202);
    expect((await vary()).body.id).toBe(first.body.id);
    expect((await vary({ prompt: 'Another' })).body.code).toBe('idempotency_key_reused');
    expect((await service.acme.post(`/images/${parent.id}/variations`).send({ index: 3 })).status).toBe(404);
    await service.acme.ended(first.body.id);
  });

  it('a variation does not inherit the cost limit of its job, and takes one of its own', async () => {
    const preview = await service.acme.post('/images?dry_run=true').send(request).expect(200);
    const limit = preview.body.estimate.high_micro_usd;
    const parent = await service.acme.generate({ ...request, max_cost_micro_usd: limit });
    const vary = (body: object) => service.acme.post(`/images/${parent.id}/variations`).send(body);
    const refused = await vary({ max_cost_micro_usd: limit });
    expect(refused).toMatchObject({ status: 422, body: { code: 'max_cost_exceeded' } });
    const { body } = await vary({}).expect(202);
    expect(body.request.max_cost_micro_usd).toBeUndefined();
    await service.acme.ended(body.id);
  });

  it('a list by parent contains edits of an image and edits of an upload', async () => {
    const parent = await service.acme.generate(request);
    const upload = await service.acme.post('/uploads').attach('file', await noiseImage(64, 64), 'a.png');
    const images = [{ image_id: parent.id }, { upload_id: upload.body.id }];
    const edit = await service.acme.generate({ ...request, images });

    expect(await childrenOf(parent.id)).toEqual([edit.id]);
    expect(await childrenOf(upload.body.id)).toEqual([edit.id]);
    await service.acme.delete(`/images/${edit.id}`).expect(204);
    expect(await childrenOf(parent.id)).toEqual([]);
  });

  it('erasing an upload leaves the jobs that were made from it, or erases them all on request', async () => {
    const upload = async () =>
      (await service.acme.post('/uploads').attach('file', await noiseImage(64, 64), 'a.png')).body.id;
    const [source, other] = [await upload(), await upload()];
    const edit = (images: object[]) => service.acme.generate({ ...request, images });
    const first = await edit([{ upload_id: source }, { upload_id: other }]);
    const second = await edit([{ image_id: first.id }]);
    const varied = await service.acme.post(`/images/${second.id}/variations`).send().expect(202);
    await service.acme.ended(varied.body.id);
    const unrelated = await edit([{ upload_id: other }]);

    await service.acme.delete(`/uploads/${source}`).expect(204);
    expect(await childrenOf(source)).toEqual([first.id]);
    // The upload is gone, and the jobs that were made from it can still be erased.
    await service.acme.delete(`/uploads/${source}?erase_jobs=true`).expect(204);
    for (const id of [first.id, second.id, varied.body.id])
      expect((await service.acme.get(`/images/${id}`)).body.code).toBe('erased');
    expect((await service.acme.job(unrelated.id)).status).toBe('succeeded');
    expect((await service.acme.get(`/uploads/${other}`)).status).toBe(200);
    expect((await service.acme.delete(`/uploads/${source}?erase_jobs=true`)).status).toBe(404);
    expect((await service.other.delete(`/uploads/${other}?erase_jobs=true`)).status).toBe(404);
    await service.acme.delete(`/uploads/${other}?erase_jobs=true`).expect(204);
    expect((await service.acme.get(`/images/${unrelated.id}`)).status).toBe(410);
  });
});
