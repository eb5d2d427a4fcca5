import { expect, it } from 'vitest';
import { holdFirstUpload, storageIn } from '../support/bucket.ts';
import { noiseImage } from '../support/images.ts';
import { startTestS3 } from '../support/s3-server.ts';
import { startService } from '../support/service.ts';

it('accepts no job with a photo that was erased while the job was being accepted', async () => {
  const s3 = await startTestS3();
  const service = await startService(storageIn(s3));
  try {
    const photo = await service.acme.post('/uploads').attach('file', await noiseImage(64, 64), 'a.png');
    const data = (await noiseImage(64, 64)).toString('base64');
    const held = holdFirstUpload(s3, (key) => key.endsWith('/in-image-1.bin'));
    // The copy of the photo exists when the second input is held.
    const submission = service.acme
      .post('/images')
      .send({ prompt: 'A harbor', images: [{ upload_id: photo.body.id }, { data }] })
      .then((response) => response);
    await held.key;
    await service.acme.delete(`/uploads/${photo.body.id}?erase_jobs=true`).expect(204);
    await held.release();

    const { status, body } = await submission;
    expect({ status, body }).toMatchObject({
      status: 422,
      body: { code: 'input_invalid', errors: [{ pointer: '/images/0' }] },
    });
    expect((await service.acme.get('/images')).body.data).toEqual([]);
    expect(service.studio.calls).toEqual([]);
  } finally {
    await service.close();
    await s3.stop();
  }
});
