import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leftHalfMask } from '../../support/edit-inputs.ts';
import { noiseImage, sha256 } from '../../support/images.ts';
import { dataUrl, postEdit } from '../../support/openai-edits.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

let service: TestService;
let photo: Buffer;
beforeAll(async () => {
  service = await startService();
  photo = await noiseImage(320, 200);
});
afterAll(() => service.close());

const model = 'gpt-image-2.6-flare';
const client = () => new OpenAI({ apiKey: testKeys.acme, baseURL: `${service.url}/v1` });
const sentInputs = () => service.studio.calls.at(-1)?.inputs.map((input) => input.sha256);

describe('an edit of the official client in the studio', () => {
  it('sends three files and a mask byte for byte and gets an image with the usage of its inputs', async () => {
    const others = [await noiseImage(200, 100, 'jpeg'), await noiseImage(100, 100, 'webp')];
    const mask = await leftHalfMask(320, 200);
    const response = await client().images.edit({
      image: await Promise.all([photo, ...others].map((bytes) => toFile(bytes, 'photo'))),
      mask: await toFile(mask, 'mask'),
      prompt: 'A mug at sunset',
      model,
    });
    expect(response.data).toHaveLength(1);
    // Patches of 32 px: the small images are enlarged to twice their size.
    expect(response.usage?.input_tokens).toBeGreaterThan(20 * 13 + 13 * 7 + 7 * 7);
    const { text_tokens = 0, image_tokens = 0 } = response.usage?.input_tokens_details ?? {};
    expect([text_tokens > 0, image_tokens > 0]).toEqual([true, true]);
    expect(text_tokens + image_tokens).toBe(response.usage?.input_tokens);
    expect(sentInputs()).toEqual([photo, ...others, mask].map(sha256));
  });

  it('gets previews and the image from a stream', async () => {
    const stream = await client().images.edit({
      image: await toFile(photo, 'photo'),
      prompt: 'A mug in a stream',
      model,
      stream: true,
      partial_images: 2,
    });
    const types = [];
    for await (const event of stream) types.push(event.type);
    expect(types).toEqual(['image_edit.partial_image', 'image_edit.partial_image', 'image_edit.completed']);
  });

  it('ends with 424 and without a provider call if an address cannot be fetched', async () => {
    const calls = service.studio.calls.length;
    const images = [{ image_url: dataUrl(photo) }, { image_url: 'https://unknown.invalid/a.png' }];
    const { status, headers, body } = await postEdit(
      service.url,
      JSON.stringify({ prompt: 'A lost mug', images }),
    );
    expect(body.error.code).toBe('input_unavailable');
    expect([status, headers.get('x-should-retry')]).toEqual([424, 'false']);
    expect(service.studio.calls).toHaveLength(calls);
  });
});
