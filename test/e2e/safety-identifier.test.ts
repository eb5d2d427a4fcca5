import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noiseImage } from '../support/images.ts';
import { safetyIdentifier } from '../support/safety-identifier.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scripted-server.ts';
import { startService, type TestService } from '../support/service.ts';

let provider: ScriptedServer;
let service: TestService;
beforeAll(async () => {
  const b64_json = (await noiseImage(64, 64)).toString('base64');
  const usage = { input_tokens: 9, output_tokens: 196, total_tokens: 205 };
  const message = { content: 'A red fox in deep snow.' };
  provider = await startScriptedServer((response, { path }) => {
    const reply = path.endsWith('/chat/completions') ? { choices: [{ message }] } : { data: [{ b64_json }] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...reply, usage }));
  });
  service = await startService({ OPENAI_BASE_URL: provider.url });
});
afterAll(async () => {
  await service.close();
  await provider.close();
});

/** Generates an image and returns the safety identifier of each call that it made. */
async function identifiersOf(caller: TestService['acme'], fields: object): Promise<string[]> {
  const before = provider.seen.length;
  const job = await caller.generate({ prompt: 'A fox', quality: 'low', size: '1024x1024', ...fields });
  expect(job.status).toBe('succeeded');
  return provider.seen.slice(before).map(({ body }) => {
    const { safety_identifier, user } = JSON.parse(body);
    expect(user).toBeUndefined();
    return safety_identifier;
  });
}

describe('the safety identifier of a call', () => {
  it('is sent with every call of a job, also without an id of an end user', async () => {
    const [described, generated] = await identifiersOf(service.acme, { enhance: 'always' });
    expect(described).toMatch(safetyIdentifier);
    expect(generated).toBe(described);
  });

  it('is the same for the same end user of a tenant, and shows neither', async () => {
    const [first] = await identifiersOf(service.acme, { safety_identifier: 'user-1' });
    expect(first).toMatch(safetyIdentifier);
    expect(await identifiersOf(service.acme, { safety_identifier: 'user-1' })).toEqual([first]);
    expect(await identifiersOf(service.acme, { provider_options: { user: 'user-1' } })).toEqual([first]);
  });

  it('differs between end users and between tenants', async () => {
    const identifiers = [
      ...(await identifiersOf(service.acme, {})),
      ...(await identifiersOf(service.acme, { safety_identifier: 'user-1' })),
      ...(await identifiersOf(service.acme, { safety_identifier: 'user-2' })),
      ...(await identifiersOf(service.other, { safety_identifier: 'user-1' })),
    ];
    expect(new Set(identifiers).size).toBe(4);
  });

  it('is absent if the operator switched it off', async () => {
    const silent = await startService({ OPENAI_BASE_URL: provider.url, SEND_SAFETY_IDENTIFIER: 'false' });
    expect(await identifiersOf(silent.acme, { safety_identifier: 'user-1' })).toEqual([undefined]);
    await silent.close();
  });
});
