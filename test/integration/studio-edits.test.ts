import type OpenAI from 'openai';
import { toFile } from 'openai';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { StudioOptions } from '../../src/local/studio/studio.ts';
import { BLUE, GREEN, leftHalfMask, partOf, plainImage, png, RED, shareOf } from '../support/edit-inputs.ts';
import { clearMask, noiseImage, sha256 } from '../support/images.ts';
import { bytesOf, lastCall, studioAndClient } from '../support/studio-calls.ts';

const model = 'gpt-image-2.6-flare';
const drawn = (more: StudioOptions = {}) => studioAndClient({ image: 'drawn', ...more });

describe('edits of the studio', () => {
  it('draws the colors of the input into the scene of the prompt, in the ratio of the input', async () => {
    const { studio, client } = await drawn();
    const red = await plainImage(320, 200, RED);
    const reply = await client.images.edit({ model, image: await png(red), prompt: 'mountains' });
    const image = bytesOf(reply.data?.[0]);
    expect(await sharp(image).metadata()).toMatchObject({ width: 1296, height: 816, format: 'png' });
    const share = await shareOf(image, RED);
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.95);
    expect(reply.usage).toMatchObject({ input_tokens_details: { image_tokens: 20 * 13, text_tokens: 3 } });
    expect(await lastCall(studio)).toMatchObject({
      path: '/v1/images/edits',
      status: 200,
      charged: 'charged',
      inputs: [{ param: 'image[0]', sha256: sha256(red), sizeBytes: red.length }],
    });
  });

  it('shows every one of several inputs, and sums up their tokens', async () => {
    const { client } = await drawn();
    const images = [RED, GREEN, BLUE].map(async (color) => png(await plainImage(256, 256, color)));
    const reply = await client.images.edit({
      model,
      image: await Promise.all(images),
      prompt: 'a city at night',
      size: '1536x1024',
    });
    const image = bytesOf(reply.data?.[0]);
    for (const color of [RED, GREEN, BLUE]) expect(await shareOf(image, color)).toBeGreaterThan(0.08);
    expect(reply.usage?.input_tokens_details.image_tokens).toBe(3 * 16 * 16);
  });

  it('accepts sixteen inputs in three formats and draws several images that differ', async () => {
    const { studio, client } = await drawn();
    const formats = ['png', 'jpeg', 'webp'] as const;
    const images = Array.from({ length: 16 }, async (_, index) => {
      const format = formats[index % 3] ?? 'png';
      // Parts without a type are application/octet-stream, as those of a stream.
      return toFile(await noiseImage(64, 48, format), 'blob');
    });
    const reply = await client.images.edit({
      model,
      image: await Promise.all(images),
      prompt: 'geometric',
      n: 2,
      output_format: 'webp',
      output_compression: 70,
      quality: 'low',
    });
    const [one, two] = (reply.data ?? []).map(bytesOf);
    expect(one?.equals(two ?? Buffer.of())).toBe(false);
    expect(await sharp(one).metadata()).toMatchObject({ format: 'webp' });
    expect((await lastCall(studio)).inputs).toHaveLength(16);
    expect(studio.chargedImages()).toBe(2);
  });

  it('changes only the transparent area of the mask, apart from the corner mark', async () => {
    const { studio, client } = await drawn();
    const input = await noiseImage(1024, 1024);
    const reply = await client.images.edit({
      model,
      image: await png(input),
      mask: await png(await leftHalfMask(1024, 1024)),
      prompt: 'a fox',
    });
    const image = bytesOf(reply.data?.[0]);
    const isEqual = async (left: number, top: number, [width, height]: [number, number]) => {
      const part = { left, top, width, height };
      return (await partOf(image, part)).equals(await partOf(input, part));
    };
    // The mark is within the lowest 64 rows.
    expect(await isEqual(512, 0, [512, 960])).toBe(true);
    expect(await isEqual(0, 0, [512, 960])).toBe(false);
    expect(await isEqual(960, 960, [64, 64])).toBe(false);
    expect((await lastCall(studio)).inputs.map(({ param }) => param)).toEqual(['image[0]', 'mask']);
  });

  it('changes only the area that a markup surrounds', async () => {
    const { studio } = await drawn();
    const input = await plainImage(800, 800, BLUE);
    const stroke = await sharp(await clearMask(800, 800))
      .composite([{ input: await plainImage(200, 200, RED), left: 100, top: 100 }])
      .png()
      .toBuffer();
    const form = new FormData();
    form.set('markup', new Blob([stroke]), 'markup.png');
    form.set('image', new Blob([input]), 'a.png');
    form.set('prompt', 'a lighthouse');
    form.set('size', '1024x1024');
    const response = await fetch(`${studio.baseUrl}/images/edits`, {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: form,
    });
    const body = (await response.json()) as { data: { b64_json: string }[] };
    const image = bytesOf(body.data[0]);
    // 200 of 800 pixels with a margin of a tenth on each side are 308 of 1,024.
    const share = await shareOf(image, BLUE);
    expect(share).toBeGreaterThan(0.88);
    expect(share).toBeLessThan(0.95);
  });

  it('orients an input by its EXIF before it checks the size of the mask', async () => {
    const { client } = await drawn();
    const input = await sharp(await plainImage(800, 600, RED))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const reply = await client.images.edit({
      model,
      image: await toFile(input, 'a.jpg', { type: 'image/jpeg' }),
      mask: await png(await leftHalfMask(600, 800)),
      prompt: 'snow',
    });
    const { width = 0, height = 0 } = await sharp(bytesOf(reply.data?.[0])).metadata();
    expect(height).toBeGreaterThan(width);
  });

  it('streams previews and the image of an edit', async () => {
    const { client } = await drawn();
    const stream = await client.images.edit({
      model,
      image: await png(await plainImage(256, 256, GREEN)),
      prompt: 'waves',
      quality: 'low',
      stream: true,
      partial_images: 1,
    });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(['image_edit.partial_image', 'image_edit.completed']);
    expect(await shareOf(bytesOf(events[1]), GREEN)).toBeGreaterThan(0.4);
    expect(events[1]).toMatchObject({ usage: { input_tokens_details: { image_tokens: 256 } } });
  });

  it('accepts JSON with data URLs and a mask, and records no image data', async () => {
    const { studio, client } = await drawn();
    const dataUrl = (bytes: Buffer) => ({ image_url: `data:image/png;base64,${bytes.toString('base64')}` });
    const input = await noiseImage(640, 640);
    const reply = await client.post<OpenAI.Images.ImagesResponse>('/images/edits', {
      body: {
        model,
        prompt: 'a cat',
        images: [dataUrl(input)],
        mask: dataUrl(await leftHalfMask(640, 640)),
        moderation: 'low',
        size: '1024x1024',
      },
    });
    expect(bytesOf(reply.data?.[0]).length).toBeGreaterThan(1_000);
    const call = await lastCall(studio);
    expect(call.inputs[0]).toMatchObject({ param: 'images[0]', sha256: sha256(input) });
    expect(JSON.stringify(call).length).toBeLessThan(2_000);
  });

  it('edits the input_image parts of a response in the background', async () => {
    const { studio, client } = await drawn();
    const green = await plainImage(256, 256, GREEN);
    const image_url = `data:image/png;base64,${green.toString('base64')}`;
    const { id } = await client.responses.create({
      model: 'gpt-5.4-mini',
      background: true,
      tools: [{ type: 'image_generation', model, quality: 'low', action: 'edit' }],
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'a quiet lake' },
            { type: 'input_image', image_url, detail: 'auto' },
          ],
        },
      ],
    });
    let response = await client.responses.retrieve(id);
    while (response.status === 'in_progress') response = await client.responses.retrieve(id);
    const item = response.output.find(({ type }) => type === 'image_generation_call');
    const result = item?.type === 'image_generation_call' ? item.result : null;
    expect(await shareOf(Buffer.from(result ?? '', 'base64'), GREEN)).toBeGreaterThan(0.4);
    expect(response).toMatchObject({
      tool_usage: { image_gen: { input_tokens_details: { image_tokens: 256 } } },
    });
    expect(studio.calls[0]?.inputs).toHaveLength(1);
  });
});
