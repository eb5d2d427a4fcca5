import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEnvironment, type TestEnvironment } from '../support/service-environment.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

// A separate process, because a service in the event loop of the sender reads no faster than the sender writes.
let environment: TestEnvironment;
let service: ServiceProcess;
beforeAll(async () => {
  environment = await createEnvironment({ API_KEYS: 'acme:short' });
  service = await startServiceProcess(environment.env);
}, 60_000);
afterAll(async () => {
  await service.stop();
  await environment.remove();
});

/** Sends a body with a client that reads the response only after it has sent everything. */
async function send(contentType: string, megabytes: number, path = '/images') {
  const response = await fetch(service.url + path, {
    method: 'POST',
    headers: { authorization: 'Bearer short', 'content-type': contentType },
    body: JSON.stringify({ prompt: 'a'.repeat(megabytes << 20) }),
  });
  const { code } = (await response.json()) as { code: string };
  return { status: response.status, code, connection: response.headers.get('connection') };
}

describe('a refused body', () => {
  it.each([1, 2, 5, 10, 30])(
    'a refused body of %i MB gets the reason although the client still sends',
    async (megabytes) => {
      expect(await send('application/json', megabytes)).toMatchObject({
        status: 413,
        code: 'payload_too_large',
      });
      expect(await send('text/plain', megabytes)).toMatchObject({
        status: 415,
        code: 'unsupported_media_type',
      });
    },
  );

  it.each(['/images', '/v1/images/generations', '/v1/images/edits', '/mcp'])(
    'a body that is refused by its length does not close the connection of a client that still sends: %s',
    async (path) => {
      const { status, connection } = await send('application/json', 40, path);
      expect(status).toBe(413);
      expect(connection).not.toBe('close');
    },
  );
});

describe('a text of 5 MB', () => {
  const text = 'a'.repeat(5 << 20);
  const toolCall = (args: object) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'edit_image', arguments: { prompt: 'A fox', ...args } },
  });
  const statusOf = async (path: string, body: unknown) => {
    const headers = {
      authorization: 'Bearer short',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    const response = await fetch(service.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    await response.arrayBuffer();
    return response.status;
  };

  it.each([
    ['/mcp', 'a prompt', toolCall({ prompt: text })],
    ['/mcp', 'an address', toolCall({ images: [{ url: `https://${text}` }] })],
    ['/mcp', 'the name of an argument', toolCall({ [text]: 1 })],
    ['/mcp', 'a prompt in a batch', [toolCall({}), toolCall({ prompt: text })]],
    ['/v1/images/edits', 'an address', { prompt: 'A fox', images: [{ image_url: `https://${text}` }] }],
  ])('is refused before it delays other callers: %s, %s', async (path, _name, body) => {
    expect(await statusOf(path, body)).toBe(413);
  });

  it.each([
    ['/mcp', toolCall({ images: [{ data: text }] }), 200],
    ['/v1/images/edits', { prompt: 'A fox', images: [{ image_url: `data:image/png;base64,${text}` }] }, 400],
  ])('may be the data of an image: %s', async (path, body, status) => {
    expect(await statusOf(path, body)).toBe(status);
  });
});

describe('a short API key', () => {
  it('a short API key works and causes one startup warning that does not contain it', () => {
    const warnings = service.log.filter((line) => line.includes('can be guessed'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toContain('acme:short');
  });
});
