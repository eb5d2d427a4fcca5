import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

const storedFiles = () => readdir(`${service.dataDir}/images`, { recursive: true }).catch(() => []);
const spooled = () => readdir(`${service.dataDir}/spool`).catch(() => []);

describe('a refusal that costs nothing', () => {
  it('retries a rate-limited call after Retry-After without a paid attempt', async () => {
    const job = await service.acme.generate({ prompt: 'Too fast [studio:rate-limit=1,times=1]', n: 1 });
    const calls = imageCalls(service.studio, 'Too fast');

    expect(job.status).toBe('succeeded');
    expect(calls.map((call) => call.charged)).toEqual(['none', 'charged']);
    const [first, second] = calls.map((call) => Date.parse(call.arrivedAt));
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(1000);
    expect(job.attempts.map(({ state, cost_micro_usd }) => [state, cost_micro_usd === 0])).toEqual([
      ['rejected', true],
      ['stored', false],
    ]);
    expect(job.cost.billing).toBe('charged');
  });

  it('retries a call after the provider was overloaded', async () => {
    const job = await service.acme.generate({ prompt: 'Overloaded [studio:overloaded,times=1]' });
    expect(job.status).toBe('succeeded');
    expect(imageCalls(service.studio, 'Overloaded')).toHaveLength(2);
  });

  it('a moderation refusal is final after one call and names the categories', async () => {
    const job = await service.acme.generate({ prompt: 'Refused [studio:moderation=violence]' });
    expect(job.status).toBe('failed');
    expect(job.error).toMatchObject({
      code: 'moderation_blocked',
      retryable: false,
      billing: 'none',
      provider: { status: 400, code: 'moderation_blocked', categories: ['violence'] },
    });
    expect(job.cost).toMatchObject({ micro_usd: 0, billing: 'none' });
    expect(imageCalls(service.studio, 'Refused')).toHaveLength(1);
  });

  it('a refused request is final after one call', async () => {
    const job = await service.acme.generate({ prompt: 'Invalid [studio:bad-request]' });
    expect(job.error).toMatchObject({ code: 'provider_rejected', retryable: false, billing: 'none' });
    expect(imageCalls(service.studio, 'Invalid')).toHaveLength(1);
  });
});

describe('a call of unknown outcome', () => {
  it('on_uncertain fail never repeats a call of unknown outcome', async () => {
    const job = await service.acme.generate({
      prompt: 'Broken once [studio:error=500]',
      on_uncertain: 'fail',
    });
    expect(job.status).toBe('failed');
    expect(job.error).toMatchObject({ code: 'provider_outcome_unknown', billing: 'possible' });
    expect(job.cost).toMatchObject({ micro_usd: null, billing: 'possible', estimated: false });
    expect(imageCalls(service.studio, 'Broken once')).toHaveLength(1);
  });

  it('on_uncertain retry repeats a call of unknown outcome at most once', async () => {
    const job = await service.acme.generate({
      prompt: 'Broken twice [studio:error=500]',
      on_uncertain: 'retry',
    });
    expect(job.status).toBe('failed');
    expect(job.error).toMatchObject({ code: 'provider_outcome_unknown', billing: 'possible' });
    expect(imageCalls(service.studio, 'Broken twice')).toHaveLength(2);
  });

  it('the cost is unknown if a call of unknown outcome preceded the stored image', async () => {
    const job = await service.acme.generate({
      prompt: 'Broken then good [studio:hang-up,times=1]',
      on_uncertain: 'retry',
    });
    expect(job.status).toBe('succeeded');
    expect(job.attempts.map((attempt) => attempt.state)).toEqual(['uncertain', 'stored']);
    expect(job.cost).toMatchObject({ micro_usd: null, billing: 'charged' });
  });

  it('a call that breaks off during the image leaves no partial file', async () => {
    const job = await service.acme.generate({ prompt: 'Half [studio:hang-up-mid]', on_uncertain: 'fail' });
    expect(job.error?.code).toBe('provider_outcome_unknown');
    expect(await spooled()).toEqual([]);
  });
});

describe('a response without a usable image', () => {
  it.each([
    ['truncated', 'charged'],
    ['html', 'possible'],
    ['empty', 'charged'],
    ['not-an-image', 'charged'],
    ['huge=60000x60000', 'charged'],
  ] as const)(
    'an unusable response (%s) is never stored, and its known cost is reported',
    async (fault, billing) => {
      const before = await storedFiles();
      const job = await service.acme.generate({
        prompt: `No image [studio:${fault}]`,
        on_uncertain: 'fail',
      });

      expect(job.status).toBe('failed');
      expect(job.images).toEqual([]);
      expect(job.error).toMatchObject({ code: 'provider_unusable_answer', retryable: true });
      expect([job.error?.billing, job.cost.billing]).toEqual([billing, billing]);
      if (billing === 'charged') expect(job.cost.micro_usd).toBeGreaterThan(0);
      else expect(job.cost.micro_usd).toBeNull();
      expect(await storedFiles()).toEqual(before);
      expect(await spooled()).toEqual([]);
      expect(imageCalls(service.studio, `[studio:${fault}]`)).toHaveLength(1);
    },
  );

  it('a job with one refused image of three succeeds as partial', async () => {
    const job = await service.acme.generate({
      prompt: 'Two of three [studio:moderation,times=1]',
      n: 3,
    });
    expect(job).toMatchObject({ status: 'succeeded', partial: true, error: null });
    expect(job.images).toHaveLength(2);
    expect(job.image_errors).toEqual([
      expect.objectContaining({ code: 'moderation_blocked', billing: 'none' }),
    ]);
    expect(imageCalls(service.studio, 'Two of three')).toHaveLength(3);
  });
});

describe('a job that hangs', () => {
  it('a hanging job fails with run_timeout and a possible charge', async () => {
    const job = await service.acme.generate({ prompt: 'Never responds [studio:hang]', run_timeout_s: 1 });
    expect(job.status).toBe('failed');
    expect(job.error).toMatchObject({ code: 'run_timeout', billing: 'possible', stage: 'generating' });
    expect(job.cost.micro_usd).toBeNull();
  });
});
