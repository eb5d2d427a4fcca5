import sharp from 'sharp';
import { beforeAll, expect, it, vi } from 'vitest';
import type { Caller } from '../support/caller.ts';
import { connectMcp } from '../support/mcp-client.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

/** Previews of images that have no stored thumbnail, from a provider that sends what a prompt asks for. */

let service: TestService;
beforeAll(async () => {
  const drawing =
    '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="9" height="9"/></svg>';
  const pixels = { create: { width: 2_500, height: 2_500, channels: 3, background: 'teal' } } as const;
  const photo = await sharp(pixels).jpeg({ progressive: true }).toBuffer();
  const provider = await startScriptedServer((response, { body }) => {
    const bytes = JSON.parse(body).output_format === 'svg' ? Buffer.from(drawing) : photo;
    const reply = {
      data: [{ b64_json: bytes.toString('base64') }],
      usage: { input_tokens: 9, output_tokens: 196, total_tokens: 205 },
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  });
  service = await startService({ OPENAI_BASE_URL: provider.url });
  return async () => {
    await service.close();
    await provider.close();
  };
});

/** Returns the types of the content of `get_image`. */
async function contentOf(client: Awaited<ReturnType<typeof connectMcp>>, id: string): Promise<string[]> {
  const { content } = await client.callTool({ name: 'get_image', arguments: { id } });
  return (content as { type: string }[]).map(({ type }) => type);
}

const generate = (caller: Caller, fields: object) =>
  caller.generate({ prompt: 'A fox', model: 'gpt-image-2.6-flare', ...fields });

it('a drawing is linked without a preview, because its decoder must not see foreign text', async () => {
  const drawn = await generate(service.acme, { output_format: 'svg', svg: { model: 'gpt-5.4' } });
  const photographed = await generate(service.acme, { output_format: 'jpeg' });
  const client = await connectMcp(service);
  expect(await contentOf(client, drawn.id)).toEqual(['text', 'resource_link']);
  expect(await contentOf(client, photographed.id)).toEqual(['text', 'resource_link', 'image']);
});

it('previews are made for tenants in turns, so that many of one tenant do not delay one of another', async () => {
  const [mine, theirs] = await Promise.all([
    generate(service.acme, { output_format: 'jpeg' }),
    generate(service.other, { output_format: 'jpeg' }),
  ]);
  const many = await connectMcp(service);
  const one = await connectMcp(service, { key: testKeys.other });
  const ended: string[] = [];
  const call = async (name: string, client: typeof many, id: string) => {
    expect(await contentOf(client, id)).toContain('image');
    ended.push(name);
  };
  const calls = Array.from({ length: 40 }, () => call('acme', many, mine.id));
  await vi.waitFor(() => expect(ended.length).toBeGreaterThan(2), { timeout: 20_000, interval: 10 });
  const before = ended.length;
  await Promise.all([...calls, call('other', one, theirs.id)]);
  expect(ended.indexOf('other')).toBeLessThan((before + 41) / 2);
});
