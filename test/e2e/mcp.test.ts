import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import { urlOf } from '../support/edit-entries.ts';
import { clearMask, noiseImage, sha256 } from '../support/images.ts';
import { connectMcp, type Negotiation } from '../support/mcp-client.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ INPUT_ALLOW_PRIVATE: 'true' });
});
afterAll(() => service?.close());

const connect = (negotiation: Negotiation, key: string = testKeys.acme) =>
  connectMcp(service, { negotiation, key });

const upload = async (bytes: Buffer) =>
  (await service.acme.post('/uploads').attach('file', bytes, 'a').expect(201)).body.id;
const jobOf = (result: { structuredContent?: unknown }) => result.structuredContent as ImageJobView;
const textOf = (result: { content?: unknown }) =>
  (result.content as { type: string; text?: string }[]).map(({ text = '' }) => text).join('\n');

describe.each<Negotiation>(['legacy', 'auto'])('an MCP client that negotiates by %s', (mode) => {
  it('finds the tools with their arguments', async () => {
    const { tools } = await (await connect(mode)).listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([
      'cancel_image',
      'edit_image',
      'generate_image',
      'get_image',
      'list_images',
      'list_models',
    ]);
    const generate = tools.find(({ name }) => name === 'generate_image');
    expect(generate?.inputSchema.required).toEqual(['prompt']);
  });

  it('gets the job, its cost, a link and a small preview from one call, and the job is visible over HTTP', async () => {
    const client = await connect(mode);
    const prompt = `A heron, ${mode}`;
    const result = await client.callTool({ name: 'generate_image', arguments: { prompt } });
    const job = jobOf(result);
    expect(job).toMatchObject({ object: 'image_job', status: 'succeeded', cost: { billing: 'charged' } });
    expect(textOf(result)).toContain(job.id);
    expect(textOf(result)).toContain(`(${job.cost.micro_usd} micro-USD)`);
    const content = result.content as { type: string; uri?: string; data?: string; mimeType?: string }[];
    const link = content.find(({ type }) => type === 'resource_link');
    expect((await fetch(link?.uri ?? '')).status).toBe(200);
    const preview = content.find(({ type }) => type === 'image');
    expect(await sharp(Buffer.from(preview?.data ?? '', 'base64')).metadata()).toMatchObject({ width: 512 });
    expect((await service.acme.job(job.id)).attempts).toHaveLength(1);
    expect(imageCalls(service.studio, prompt)).toHaveLength(1);
  });

  it('receives progress while a job runs, then the result', async () => {
    const client = await connect(mode);
    const messages: string[] = [];
    const result = await client.callTool(
      { name: 'generate_image', arguments: { prompt: 'A slow boat [studio:latency=6000]', preview: false } },
      { onprogress: ({ message = '' }) => messages.push(message) },
    );
    expect(jobOf(result).status).toBe('succeeded');
    // One at the start and one after 5 s, before clients with an idle timer give up.
    expect(messages.length).toBeGreaterThanOrEqual(2);
    expect(messages.at(-1)).toContain(jobOf(result).id);
  });
});

describe('tools of agents', () => {
  it('answer in time that a job is still running, and get_image waits for its end', async () => {
    const client = await connect('auto');
    const args = { prompt: 'A patient cat [studio:latency=3000]', wait_s: 0 };
    const first = await client.callTool({ name: 'generate_image', arguments: args });
    expect(first.isError).toBeFalsy();
    expect(textOf(first)).toContain('Call get_image with this id');
    const { id } = jobOf(first);
    const later = await client.callTool({ name: 'get_image', arguments: { id, wait_s: 30 } });
    expect(jobOf(later)).toMatchObject({ id, status: 'succeeded' });
  });

  it('pay once for twenty calls with one idempotency key', async () => {
    const client = await connect('auto');
    const args = { prompt: 'Twenty owls', idempotency_key: 'owls-1', preview: false };
    const calls = Array.from({ length: 20 }, () =>
      client.callTool({ name: 'generate_image', arguments: args }),
    );
    const ids = (await Promise.all(calls)).map((result) => jobOf(result).id);
    expect(new Set(ids).size).toBe(1);
    expect(imageCalls(service.studio, 'Twenty owls')).toHaveLength(1);
  });

  it('join a repeated call with the same id and arguments only while its job runs', async () => {
    const message = (id: number) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: {
        name: 'generate_image',
        arguments: { prompt: 'A repeated swan [studio:latency=1500]', preview: false },
      },
    });
    const call = async (id: number) => {
      const response = await fetch(new URL('/mcp', service.url), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${testKeys.acme}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-11-25',
        },
        body: JSON.stringify(message(id)),
      });
      const data = /^data: (.*)$/m.exec(await response.text())?.[1] ?? '{}';
      return jobOf(JSON.parse(data).result).id;
    };
    const [one, repeated, other] = await Promise.all([call(7), call(7), call(8)]);
    expect(repeated).toBe(one);
    expect(other).not.toBe(one);
    expect(await call(7)).not.toBe(one);
    expect(imageCalls(service.studio, 'A repeated swan')).toHaveLength(3);
  });

  it('explain a refusal so that the agent knows what to change', async () => {
    const client = await connect('auto');
    const unknown = await client.callTool({
      name: 'generate_image',
      arguments: { prompt: 'A crow', model: 'gpt-image-2.6-flar' },
    });
    expect(unknown.isError).toBe(true);
    expect(textOf(unknown)).toMatch(/^model_unknown: .*gpt-image-2\.6-flare/);
    expect(textOf(unknown)).toContain('Do not repeat the call without a change');
    const dear = await client.callTool({
      name: 'generate_image',
      arguments: { prompt: 'A crow', max_cost_micro_usd: 1 },
    });
    expect(textOf(dear)).toMatch(/^max_cost_exceeded: /);
    expect(imageCalls(service.studio, 'A crow')).toHaveLength(0);
  });

  it('name the tool that lists models and presets, because agents cannot call the API', async () => {
    const client = await connect('auto');
    for (const args of [{ model: 'unknown' }, { preset: 'unknown' }]) {
      const refused = await client.callTool({
        name: 'generate_image',
        arguments: { prompt: 'A crow', ...args },
      });
      expect(textOf(refused)).toContain('The tool list_models lists');
      expect(textOf(refused)).not.toContain('GET /');
    }
  });

  it('find the jobs that have all given pairs of metadata', async () => {
    const client = await connect('auto');
    const make = async (metadata: Record<string, string>) => {
      const args = { prompt: 'A labelled egret', metadata, wait_s: 0, preview: false };
      return jobOf(await client.callTool({ name: 'generate_image', arguments: args })).id;
    };
    await make({ series: 'egrets' });
    const id = await make({ series: 'egrets', part: '2' });
    const found = await client.callTool({
      name: 'list_images',
      arguments: { metadata: { series: 'egrets', part: '2' } },
    });
    const { data } = found.structuredContent as { data: { id: string }[] };
    expect(data.map((job) => job.id)).toEqual([id]);
  });

  it('refuse a cursor that no page contained', async () => {
    const client = await connect('auto');
    const refused = await client.callTool({ name: 'list_images', arguments: { cursor: 'page2' } });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain('Pass the cursor of the page before unchanged');
  });

  it('report a refusal of the content as an error that must not be repeated', async () => {
    const client = await connect('auto');
    const result = await client.callTool({
      name: 'generate_image',
      arguments: { prompt: 'A raven [studio:moderation]' },
    });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain('moderation_blocked');
    expect(textOf(result)).toContain('Do not repeat the same request');
  });

  it('edit an image of an earlier job', async () => {
    const client = await connect('auto');
    const made = await client.callTool({
      name: 'generate_image',
      arguments: { prompt: 'A hut', preview: false },
    });
    const edited = await client.callTool({
      name: 'edit_image',
      arguments: { prompt: 'A hut with snow', images: [{ image_id: jobOf(made).id }], preview: false },
    });
    expect(jobOf(edited)).toMatchObject({ status: 'succeeded', inputs: [{ role: 'image' }] });
  });

  it.each([
    ['data', async (bytes: Buffer) => ({ data: bytes.toString('base64') })],
    ['upload', async (bytes: Buffer) => ({ upload_id: await upload(bytes) })],
    ['url', urlOf],
  ])('edit an image and its mask by %s', async (type, nameOf) => {
    const [photo, mask] = [await noiseImage(64, 64), await clearMask(64, 64)];
    const edited = await (await connect('auto')).callTool({
      name: 'edit_image',
      arguments: { prompt: 'Snow', images: [await nameOf(photo)], mask: await nameOf(mask), preview: false },
    });
    expect(jobOf(edited)).toMatchObject({
      status: 'succeeded',
      inputs: [
        { role: 'image', sha256: sha256(photo), source: { type } },
        { role: 'mask', sha256: sha256(mask), source: { type } },
      ],
    });
  });

  it('are refused if they would wait longer than clients do, before a job exists', async () => {
    const client = await connect('auto');
    const args = { prompt: 'A late swift', wait_s: 46 };
    const refused = await client.callTool({ name: 'generate_image', arguments: args });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain('wait_s');
    expect(imageCalls(service.studio, 'A late swift')).toHaveLength(0);
  });

  it('list and cancel only jobs of the own tenant', async () => {
    const [own, foreign] = [await connect('auto'), await connect('auto', testKeys.other)];
    const started = await own.callTool({
      name: 'generate_image',
      arguments: { prompt: 'A wall [studio:latency=20000]', wait_s: 0 },
    });
    const { id } = jobOf(started);
    const refused = await foreign.callTool({ name: 'cancel_image', arguments: { id } });
    expect(textOf(refused)).toMatch(/^not_found: /);
    const listed = await foreign.callTool({ name: 'list_images', arguments: {} });
    expect(JSON.stringify(listed.structuredContent)).not.toContain(id);
    const canceled = await own.callTool({ name: 'cancel_image', arguments: { id } });
    expect(canceled.isError).toBeFalsy();
    expect(jobOf(canceled).id).toBe(id);
  });
});
