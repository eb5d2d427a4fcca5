import OpenAI from 'openai';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { bytesOf, studioAndClient } from '../support/studio-calls.ts';

/** Tests that the studio streams an image that visibly progresses, in both APIs. */

const request = { prompt: 'A lighthouse in a storm', size: '1024x1024', partial_images: 3 } as const;

/** Returns the mean difference of two images, per color. */
async function differenceOf(a: Buffer, b: Buffer): Promise<number> {
  const pixels = (bytes: Buffer) => sharp(bytes).removeAlpha().raw().toBuffer();
  const [left, right] = await Promise.all([pixels(a), pixels(b)]);
  let sum = 0;
  for (let at = 0; at < left.length; at += 1) sum += Math.abs((left[at] ?? 0) - (right[at] ?? 0));
  return sum / left.length;
}

/** Expects that each preview is closer to the image than the previous one. */
async function expectProgress(previews: readonly Buffer[], image: Buffer): Promise<void> {
  const distances = await Promise.all(previews.map((preview) => differenceOf(preview, image)));
  expect(distances).toHaveLength(3);
  expect(distances).toEqual(distances.toSorted((a, b) => b - a));
  expect(new Set(distances).size).toBe(3);
  expect(distances[2]).toBeGreaterThan(0);
}

describe('the previews of the studio', () => {
  it('approach the image in the Images API', async () => {
    const { client } = await studioAndClient({ image: 'drawn' });
    const stream = await client.images.generate({ model: 'gpt-image-2', ...request, stream: true });
    const images: Buffer[] = [];
    for await (const event of stream) images.push(bytesOf(event));
    await expectProgress(images.slice(0, -1), images.at(-1) ?? Buffer.alloc(0));
  });

  it('approach the image in the Responses API, whose response can be read after the stream', async () => {
    const { studio } = await studioAndClient({ image: 'drawn' });
    const client = new OpenAI({ apiKey: 'any', baseURL: studio.baseUrl, maxRetries: 0 });
    const { prompt, ...tool } = request;
    const stream = await client.responses.create({
      model: 'studio-writer',
      input: prompt,
      background: true,
      stream: true,
      tools: [{ type: 'image_generation', model: 'gpt-image-2', ...tool }],
    });
    const previews: Buffer[] = [];
    let [id, type, result] = ['', '', ''];
    for await (const event of stream) {
      type = event.type;
      if (event.type === 'response.created') id = event.response.id;
      if (event.type === 'response.image_generation_call.partial_image') {
        previews.push(Buffer.from(event.partial_image_b64, 'base64'));
      }
      if (event.type === 'response.completed') {
        const [item] = event.response.output;
        result = item?.type === 'image_generation_call' ? (item.result ?? '') : '';
      }
    }
    expect(type).toBe('response.completed');
    await expectProgress(previews, Buffer.from(result, 'base64'));
    expect((await client.responses.retrieve(id)).status).toBe('completed');
    expect(studio.chargedImages()).toBe(1);
  });
});
