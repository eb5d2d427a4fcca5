import { afterEach, expect, it, vi } from 'vitest';
import { createPromptEnhancer } from '../../src/outbound/providers/openai/prompts/prompt-enhancer.ts';
import { backgroundProvider } from '../support/background-calls.ts';
import { collector, contextOf, imageCall, imageResponse, openAIProvider } from '../support/provider-calls.ts';
import { respondWith, serve } from '../support/scripted-server.ts';

afterEach(() => vi.unstubAllEnvs());

/** Variables that the official client reads, with values of another program on the same machine. */
function useForeignEnvironment(): void {
  const foreign = {
    OPENAI_API_KEY: 'sk-foreign-0000000000',
    OPENAI_ADMIN_KEY: 'sk-foreign-0000000000',
    OPENAI_ORG_ID: 'org-foreign',
    OPENAI_PROJECT_ID: 'proj-foreign',
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    OPENAI_CUSTOM_HEADERS:
      'Authorization: Bearer sk-foreign-0000000000\nx-foreign: 1\nOpenAI-Project: proj-foreign',
  };
  for (const [name, value] of Object.entries(foreign)) vi.stubEnv(name, value);
}

it('sends paid calls with the configured key alone, whatever the environment holds for the official client', async () => {
  useForeignEnvironment();
  const { text } = await imageResponse();
  const server = await serve(respondWith(200, text));
  await openAIProvider(server.url).generate(imageCall('A fox'), contextOf(), collector().sink);
  await backgroundProvider(server.url).generate(imageCall('A fox'), contextOf(), collector().sink);
  const enhancer = createPromptEnhancer({
    name: 'openai',
    apiKey: 'sk-test-000',
    baseUrl: server.url,
    model: 'm',
  });
  await enhancer.enhance('A fox', contextOf()).catch(() => undefined);
  await enhancer.close();
  expect(server.seen.map(({ path }) => path)).toEqual([
    '/v1/images/generations',
    '/v1/responses',
    '/v1/chat/completions',
  ]);
  for (const { headers } of server.seen) {
    expect(headers.authorization).toBe('Bearer sk-test-000');
    expect(JSON.stringify(headers)).not.toContain('foreign');
  }
});
