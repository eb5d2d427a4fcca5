import { describe, expect, it, onTestFinished } from 'vitest';
import { startService } from '../support/service.ts';
import { imageCalls } from '../support/service-environment.ts';

async function serviceOfTest(overrides: Record<string, string> = {}) {
  const service = await startService(overrides);
  onTestFinished(service.close);
  return service;
}

describe('a provider account without credit', () => {
  it('an exhausted account fails the job after one free call and blocks the next jobs', async () => {
    const { acme, studio } = await serviceOfTest();
    const first = await acme.generate({ prompt: 'No credit [studio:quota]' });
    const second = await acme.generate({ prompt: 'No credit either' });

    for (const job of [first, second]) {
      expect(job.status).toBe('failed');
      expect(job.error).toMatchObject({ code: 'provider_quota_exhausted', billing: 'none' });
      expect(job.cost).toMatchObject({ micro_usd: 0, billing: 'none' });
    }
    expect(imageCalls(studio).map((call) => call.prompt)).toEqual(['No credit [studio:quota]']);
  });

  it('/readyz shows an exhausted account and stays 200, because jobs are still accepted', async () => {
    const { acme } = await serviceOfTest();
    await acme.generate({ prompt: 'Not ready [studio:quota]' });
    const { body } = await acme.get('/readyz').expect(200);
    expect(body.checks.provider).toMatchObject({ ok: false, detail: expect.stringContaining('credit') });
  });

  it('with ON_QUOTA=wait a job waits for credit and succeeds with one payment', async () => {
    const { acme, studio } = await serviceOfTest({ ON_QUOTA: 'wait' });
    const job = await acme.generate({ prompt: 'Credit comes [studio:quota,times=1]' });
    expect(job.status).toBe('succeeded');
    expect(imageCalls(studio).map((call) => call.charged)).toEqual(['none', 'charged']);
    expect(job.attempts.map((attempt) => attempt.state)).toEqual(['rejected', 'stored']);
  });
});

describe('a provider account whose key is refused', () => {
  it('a rejected provider key fails the job after one call without showing the key', async () => {
    const { acme, studio } = await serviceOfTest();
    const job = await acme.generate({ prompt: 'Wrong key [studio:unauthorized]' });
    expect(job.error).toMatchObject({ code: 'provider_unauthorized', billing: 'none' });
    expect(JSON.stringify(job)).not.toContain('sk-of-the-tests');
    expect(imageCalls(studio)).toHaveLength(1);
  });
});
