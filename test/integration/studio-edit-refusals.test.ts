import { readdir } from 'node:fs/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { leftHalfMask, plainImage, png, RED } from '../support/edit-inputs.ts';
import { noiseImage } from '../support/images.ts';
import { apiErrorOf, lastCall, studioAndClient } from '../support/studio-calls.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const model = 'gpt-image-2.6-flare';

describe('the studio', () => {
  const edit = async (more: object) => {
    const { studio, client } = await studioAndClient();
    const image = await png(await plainImage(64, 64, RED));
    const error = await apiErrorOf(client.images.edit({ model, prompt: 'a cat', image, ...more }));
    expect((await lastCall(studio)).charged).toBe('none');
    const { status, code, param, type } = error;
    return { status, code, param, type, message: error.message };
  };

  it('names the image that is damaged or of another type', async () => {
    const good = await plainImage(640, 640, RED);
    const noise = await noiseImage(200, 200);
    const expected = { status: 400, code: 'invalid_image_file', type: 'image_generation_user_error' };
    const cut = [await png(good), await png(noise.subarray(0, noise.length / 2))];
    expect(await edit({ image: cut })).toMatchObject({ ...expected, param: 'image[1]' });
    const svg = await png(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'));
    expect(await edit({ image: svg })).toMatchObject({ ...expected, param: 'image[0]' });
  });

  it('rejects a mask of another size and one without transparency', async () => {
    const small = await png(await leftHalfMask(32, 32));
    expect(await edit({ mask: small })).toMatchObject({
      status: 400,
      code: 'invalid_mask_image_format',
      message: expect.stringContaining('mask size does not match image size'),
    });
    const opaque = await png(await plainImage(64, 64, RED));
    expect((await edit({ mask: opaque })).message).toContain('mask image missing alpha channel');
  });

  it('rejects an image of 50 MiB and a mask of 4 MiB', async () => {
    const [image, mask] = await Promise.all([50, 4].map((mib) => png(Buffer.alloc(mib * 1024 * 1024))));
    expect(await edit({ image })).toMatchObject({ code: 'file_above_max_size', param: 'image[0]' });
    expect(await edit({ mask })).toMatchObject({ code: 'file_above_max_size', param: 'mask' });
  });

  it('rejects wrong fields and too many images', async () => {
    const image = await plainImage(64, 64, RED);
    const many = await Promise.all(Array.from({ length: 17 }, () => png(image)));
    expect(await edit({ image: many })).toMatchObject({ code: 'array_above_max_length', param: 'image' });
    expect(await edit({ moderation: 'low' })).toMatchObject({ code: 'unknown_parameter' });
    expect(await edit({ n: 11 })).toMatchObject({ param: 'n', code: 'integer_above_max_value' });
    expect(await edit({ input_fidelity: 'high' })).toMatchObject({ param: 'input_fidelity' });
    expect(await edit({ image: 'text' })).toMatchObject({ code: 'invalid_type', param: 'image' });
  });

  it('rejects a form that ends early, and one without an image or a key', async () => {
    const { studio } = await studioAndClient();
    const send = async (body: string, authorization = 'Bearer k') => {
      const headers = { authorization, 'content-type': 'multipart/form-data; boundary=b' };
      const response = await fetch(`${studio.baseUrl}/images/edits`, { method: 'POST', headers, body });
      return response.status;
    };
    const field = '--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na cat\r\n';
    expect(await send(field)).toBe(400);
    expect(await send(`${field}--b--\r\n`)).toBe(400);
    expect(await send(`${field}--b--\r\n`, '')).toBe(401);
  });

  it('fails as the words for faults of inputs request, and only for edits', async () => {
    const { client } = await studioAndClient();
    const image = await plainImage(64, 64, RED);
    const faulty = async (prompt: string) =>
      apiErrorOf(client.images.edit({ model, prompt, image: [await png(image), await png(image)] }));
    expect(await faulty('a cat [studio:input-invalid=2]')).toMatchObject({
      status: 400,
      code: 'invalid_image_file',
      param: 'image[1]',
    });
    expect(await faulty('a cat [studio:input-too-large]')).toMatchObject({ status: 413 });
    expect(await faulty('a cat [studio:input-hang-up]')).toMatchObject({ status: undefined });
    const reply = await client.images.generate({ model, prompt: 'a cat [studio:input-invalid]' });
    expect(reply.data).toHaveLength(1);
  });
});

describe('files of an edit', () => {
  it('are removed from the disk after the call', async () => {
    const folder = await temporaryFolder();
    vi.stubEnv('TMPDIR', folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { studio, client } = await studioAndClient({ image: 'drawn' });
    const edit = client.images.edit({ model, prompt: 'a cat', image: await png(await noiseImage(512, 512)) });
    const storesFile = async () => (await readdir(folder)).length === 1;
    await vi.waitUntil(storesFile, { timeout: 10_000, interval: 1 });
    await edit;
    await lastCall(studio);
    expect(await readdir(folder)).toEqual([]);
  });
});
