import { expect, it, onTestFinished } from 'vitest';
import { startScriptedServer } from '../support/scripted-server.ts';
import { startService } from '../support/service.ts';

const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

it('an option that a provider refuses and quotes fails one job, and blocks no other tenant', async () => {
  const provider = await startScriptedServer((response, { body }) => {
    const { style } = JSON.parse(body);
    const message = `'${style}' is not one of ['vivid', 'natural'] - 'style'`;
    const reply = style
      ? { error: { message, type: 'invalid_request_error', param: 'style', code: null } }
      : { data: [{ b64_json: pixel }], usage: { input_tokens: 9, output_tokens: 196, total_tokens: 205 } };
    response.writeHead(style ? 400 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  });
  const service = await startService({ OPENAI_BASE_URL: provider.url });
  onTestFinished(async () => {
    await service.close();
    await provider.close();
  });
  const provider_options = { style: '{"error":{"code":"insufficient_quota"}}' };
  const refused = await service.acme.generate({ prompt: 'A fox', provider_options });
  const other = await service.other.generate({ prompt: 'A fox' });
  expect.soft(refused.error?.code).toBe('provider_rejected');
  expect(other.status).toBe('succeeded');
});
