import type OpenAI from 'openai';
import { toFile } from 'openai';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { plainImage, png, RED } from '../support/edit-inputs.ts';
import { eventually } from '../support/eventually.ts';
import { bytesOf, generate, studioAndClient } from '../support/studio-calls.ts';

const model = 'gpt-image-2.6-flare';
const drawing = { model, output_format: 'svg', size: '1536x1024' };
const svgOf = (reply: OpenAI.ImagesResponse) => bytesOf(reply.data?.[0]).toString();

describe('drawings of the studio', () => {
  it.each(['drawn', 'quick'] as const)(
    'are SVG in the requested size, with the usage of the text model that wrote them (%s)',
    async (image) => {
      const { client } = await studioAndClient({ image });
      const svg = { model: 'gpt-5.4', reasoning: { effort: 'low' } };
      const reply = await generate(client, 'a fox', { ...drawing, svg });
      expect(svgOf(reply)).toMatch(/^<svg [\s\S]*<\/svg>$/);
      const metadata = await sharp(Buffer.from(svgOf(reply))).metadata();
      expect(metadata).toMatchObject({ format: 'svg', width: 1536, height: 1024 });
      const tokens = Math.ceil(svgOf(reply).length / 4);
      expect(reply).toMatchObject({
        output_format: 'svg',
        usage: { input_tokens: 2 },
        svg_usage: { model: 'gpt-5.4', input_tokens: 2, output_tokens: tokens, total_tokens: 2 + tokens },
      });
    },
  );

  it('are made by edits too, whose form names the text model in brackets', async () => {
    const { client } = await studioAndClient({ image: 'drawn' });
    const image = await toFile(await plainImage(320, 200, RED), 'a.png', { type: 'image/png' });
    const body = {
      ...drawing,
      image,
      prompt: 'mountains',
      svg: { model: 'gpt-5.4', reasoning: { effort: 'max' } },
    };
    const reply = await client.images.edit(body as unknown as OpenAI.Images.ImageEditParamsNonStreaming);
    expect(svgOf(reply)).toMatch(/^<svg [\s\S]*<\/svg>$/);
    expect(reply).toMatchObject({ svg_usage: { model: 'gpt-5.4' } });
    const refused = {
      ...drawing,
      image: await png(await plainImage(9, 9, RED)),
      prompt: 'a',
      svg: { size: '1' },
    };
    await expect(
      client.images.edit(refused as unknown as OpenAI.Images.ImageEditParamsNonStreaming),
    ).rejects.toMatchObject({ status: 400, param: 'svg.size' });
  });

  it('are written by the host model of the Responses API, unless the tool names another model', async () => {
    const { client } = await studioAndClient();
    const tools = [{ type: 'image_generation', ...drawing }] as unknown as OpenAI.Responses.Tool[];
    const { id } = await client.responses.create({
      model: 'gpt-5.4-mini',
      input: 'a fox',
      background: true,
      tools,
    });
    await eventually(async () =>
      expect((await client.responses.retrieve(id)).output).toMatchObject([
        { type: 'image_generation_call', output_format: 'svg', svg_usage: { model: 'gpt-5.4-mini' } },
      ]),
    );
  });
});
