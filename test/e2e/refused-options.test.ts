import { describe, expect, it, onTestFinished } from 'vitest';
import { jobThat } from '../support/caller.ts';
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

describe('an option of a caller that a gateway refuses like the key of the account', () => {
  const image = {
    data: [{ b64_json: pixel }],
    usage: { input_tokens: 9, output_tokens: 196, total_tokens: 205 },
  };

  /** Starts the service behind a gateway that refuses calls with a key of their own, at first or always. */
  async function behindGateway({ refusals, env = {} }: { refusals: number; env?: Record<string, string> }) {
    const calls: string[] = [];
    const gateway = await startScriptedServer((response, { body }) => {
      const isRefused =
        body.includes('"api_key"') && calls.filter((each) => each === 'refused').length < refusals;
      calls.push(isRefused ? 'refused' : 'image');
      const error = { message: 'Incorrect API key provided.', type: 'auth', code: 'invalid_api_key' };
      const reply = isRefused ? { error } : image;
      response.writeHead(isRefused ? 401 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(reply));
    });
    const service = await startService({ OPENAI_BASE_URL: gateway.url, ...env });
    onTestFinished(async () => {
      await service.close();
      await gateway.close();
    });
    return { ...service, calls };
  }
  const own = { prompt: 'A fox', provider_options: { api_key: 'sk-of-the-caller' } };

  it('fails its own job and leaves the account to the other tenants', async () => {
    const { acme, other, calls } = await behindGateway({ refusals: Number.POSITIVE_INFINITY });
    expect(await acme.generate(own)).toMatchObject({
      status: 'failed',
      error: { code: 'provider_unauthorized', billing: 'none' },
    });
    expect((await other.generate({ prompt: 'A fox' })).status).toBe('succeeded');
    expect(calls).toEqual(['refused', 'image']);
  });

  it('is tried again later with ON_QUOTA=wait, and no other tenant waits', async () => {
    const { acme, other, calls } = await behindGateway({ refusals: 2, env: { ON_QUOTA: 'wait' } });
    const { id } = await acme.submit(own);
    expect((await other.generate({ prompt: 'A fox' })).attempts).toHaveLength(1);
    const job = await acme.ended(id);
    expect(job.attempts.map(({ state }) => state)).toEqual(['rejected', 'rejected', 'stored']);
    expect(calls.filter((each) => each === 'image')).toHaveLength(2);
  });
});

it('an option that a provider refuses like a rate limit delays the jobs of its tenant, and blocks no other tenant', async () => {
  let refusals = 0;
  const provider = await startScriptedServer((response, { body }) => {
    const isRefused = body.includes('"service_tier"');
    if (isRefused) refusals += 1;
    const error = { message: 'No flex capacity is left.', type: 'resource_unavailable', code: null };
    response
      .writeHead(isRefused ? 429 : 200, { 'content-type': 'application/json', 'retry-after': '60' })
      .end(JSON.stringify(isRefused ? { error } : { data: [{ b64_json: pixel }] }));
  });
  const service = await startService({ OPENAI_BASE_URL: provider.url });
  onTestFinished(async () => {
    await service.close();
    await provider.close();
  });
  const own = { prompt: 'A fox', provider_options: { service_tier: 'flex' } };
  const { id } = await service.acme.submit(own);
  await jobThat(service.acme, id, ({ attempts }) => attempts[0]?.state === 'rejected');
  const started = performance.now();
  expect((await service.other.generate({ prompt: 'A fox' })).status).toBe('succeeded');
  expect(performance.now() - started).toBeLessThan(10_000);
  const delayed = await service.acme.submit(own);
  await jobThat(service.acme, delayed.id, ({ status }) => status === 'running');
  expect(refusals).toBe(1);
  // Everyone can read the probe, so it names no tenant.
  expect(await (await fetch(`${service.url}/readyz`)).text()).not.toContain('acme');
});
