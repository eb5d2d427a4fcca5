import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { backgroundStudio } from '../support/background-calls.ts';
import { eventually } from '../support/eventually.ts';

describe('the Responses API of the studio', () => {
  const tools = [{ type: 'image_generation' as const, model: 'gpt-image-2', quality: 'low' as const }];

  it('lets the official client create, read and cancel a response', async () => {
    const { studio } = await backgroundStudio({ latencyMs: 50 });
    const client = new OpenAI({ apiKey: 'any', baseURL: studio.baseUrl, maxRetries: 0 });
    const generate = { model: 'gpt-5.4-mini', input: 'a cat', background: true, tools };
    const { id, status, output } = await client.responses.create(generate);
    expect({ status, output }).toEqual({ status: 'in_progress', output: [] });
    const made = await eventually(async () => {
      const response = await client.responses.retrieve(id);
      expect(response.status).toBe('completed');
      return response;
    });
    expect(made.output).toMatchObject([{ type: 'image_generation_call', status: 'completed' }]);
    expect((await client.responses.cancel(id)).status).toBe('completed');
    const other = await client.responses.create({ ...generate, input: 'another cat [studio:hang]' });
    expect((await client.responses.cancel(other.id)).status).toBe('cancelled');
    expect((await client.responses.retrieve(other.id)).status).toBe('cancelled');
    await expect(client.responses.retrieve('resp_unknown')).rejects.toMatchObject({ status: 404 });
    await expect(client.responses.cancel('resp_unknown')).rejects.toMatchObject({ status: 404 });
  });

  it('generates and charges the image even if the client disconnects', async () => {
    const { studio } = await backgroundStudio();
    const body = JSON.stringify({ input: 'a cat [studio:hang-up]', background: true, tools });
    const headers = { authorization: 'Bearer any' };
    await expect(fetch(`${studio.baseUrl}/responses`, { method: 'POST', headers, body })).rejects.toThrow();
    await eventually(() => expect(studio.chargedImages()).toBe(1));
  });

  it('refuses to stream a response that exists, instead of sending an object without events', async () => {
    const { studio } = await backgroundStudio();
    const client = new OpenAI({ apiKey: 'any', baseURL: studio.baseUrl, maxRetries: 0 });
    const { id } = await client.responses.create({ model: 'm', input: 'a cat', background: true, tools });
    const refused = { status: 400, param: 'stream' };
    await expect(client.responses.retrieve(id, { stream: true })).rejects.toMatchObject(refused);
    expect((await client.responses.retrieve(id, { stream: false })).id).toBe(id);
  });

  it('sends a preview in front of the error of error-event', async () => {
    const { studio } = await backgroundStudio();
    const client = new OpenAI({ apiKey: 'any', baseURL: studio.baseUrl, maxRetries: 0 });
    const stream = await client.responses.create({
      ...{ model: 'm', input: 'a cat [studio:error-event]', background: true, stream: true },
      tools: [{ ...tools[0], type: 'image_generation', partial_images: 2 }],
    });
    const types: string[] = [];
    const reading = (async () => {
      for await (const { type } of stream) types.push(type);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'server_error' });
    expect(types).toEqual(['response.created', 'response.image_generation_call.partial_image']);
    expect(studio.chargedImages()).toBe(0);
  });

  it('applies faults of inputs to edits only', async () => {
    const { studio } = await backgroundStudio();
    const client = new OpenAI({ apiKey: 'any', baseURL: studio.baseUrl, maxRetries: 0 });
    const input = 'a cat [studio:input-hang-up] [studio:input-too-large]';
    const { status } = await client.responses.create({ model: 'm', input, background: true, tools });
    expect(status).toBe('in_progress');
  });

  it('rejects the tool without background mode, and wrong methods', async () => {
    const { studio } = await backgroundStudio();
    const client = new OpenAI({ apiKey: 'any', baseURL: studio.baseUrl, maxRetries: 0 });
    await expect(client.responses.create({ model: 'm', input: 'a cat', tools })).rejects.toMatchObject({
      status: 400,
      param: 'background',
    });
    const status = async (method: string, path: string) => {
      const headers = { authorization: 'Bearer any' };
      return (await fetch(`${studio.baseUrl}${path}`, { method, headers })).status;
    };
    expect(await status('POST', '/responses/resp_1')).toBe(405);
    expect(await status('GET', '/responses/resp_1/cancel')).toBe(405);
    expect(await status('GET', '/responses')).toBe(405);
    expect(await status('GET', '/responses/resp_1/input_items')).toBe(404);
  });
});
