import { expect, it, onTestFinished } from 'vitest';
import { createOpenAIProvider } from '../../src/outbound/providers/openai/images/openai-provider.ts';
import { respondWith, serve } from '../support/scripted-server.ts';

type Response = readonly [status: number, body: unknown, headers?: Record<string, string>];

async function check([status, body, headers]: Response): Promise<string> {
  const server = await serve(respondWith(status, body, headers));
  const provider = createOpenAIProvider({
    name: 'openai',
    apiKey: 'sk-test-key',
    baseUrl: `${server.url}/api/`,
  });
  onTestFinished(() => provider.close());
  return provider.check?.() ?? '';
}

const page = 'returns a web page, not the OpenAI API. Set OPENAI_BASE_URL to';

it.each<[string, Response]>([
  ['in upper case', [200, '<html>', { 'content-type': 'TEXT/HTML; charset=UTF-8' }]],
  ['sent as JSON', [200, '\n<!doctype html>']],
  ['with status 403', [403, '<html>blocked', { 'content-type': 'text/html' }]],
  ['with status 404', [404, '<html>nginx', { 'content-type': 'text/html' }]],
])('recognizes a web page at the base URL: %s', async (_name, response) => {
  await expect(check(response)).rejects.toThrow(page);
});

it.each<[string, Response, RegExp]>([
  ['a redirect', [302, '', { location: '/login' }], /redirect .* Set OPENAI_BASE_URL to .*\/api\/v1$/],
  ['an unknown path', [404, { error: { message: 'Not found' } }], /Not found\. Set OPENAI_BASE_URL to/],
  ['a refused key with status 200', [200, { error: { code: 'invalid_api_key' } }], /rejected the API key/],
  ['nothing', [200, ''], /is empty/],
])('reports %s in place of a list of models', async (_name, response, message) => {
  await expect(check(response)).rejects.toThrow(message);
});

it('claims that the key is accepted only after a list of models', async () => {
  expect(await check([200, { object: 'list', data: [] }])).toMatch(/accepts the key$/);
  expect(await check([200, [{ id: 'gpt-image-2' }]])).toMatch(/accepts the key$/);
  expect(await check([200, { status: 'ok' }])).toMatch(/proves neither the address nor the key$/);
});
