import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { jobThat } from '../support/caller.ts';
import { createEnvironment, imageCalls, type TestEnvironment } from '../support/service-environment.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

// A killed worker's lock lives for ten seconds.
vi.setConfig({ testTimeout: 180_000 });

let environment: TestEnvironment;
let api: ServiceProcess;
beforeAll(async () => {
  environment = await createEnvironment();
  api = await startServiceProcess({ ...environment.env, ROLES: 'api' });
});
afterAll(async () => {
  await api?.stop();
  await environment?.remove();
});

/** Kills a new worker as soon as it has sent the next call of every job. */
async function killDuringCalls(jobs: readonly string[], callsSoFar: number): Promise<void> {
  const worker = await startServiceProcess({ ...environment.env, ROLES: 'worker', WORKER_CONCURRENCY: '4' });
  const calls = () => imageCalls(environment.studio, '[studio:hang]').length;
  await vi.waitFor(() => expect(calls()).toBe(callsSoFar + jobs.length), { timeout: 40_000, interval: 50 });
  await worker.stop('SIGKILL');
}

describe('a job whose workers are killed', () => {
  it('fails with worker_lost after its worker was killed three times in a row, and shows every call', async () => {
    const before = imageCalls(environment.studio, '[studio:hang]').length;
    const { id } = await api.acme.submit({ prompt: 'Crashes its worker [studio:hang]' });
    for (let kill = 0; kill < 3; kill++) await killDuringCalls([id], before + kill);
    const worker = await startServiceProcess({ ...environment.env, ROLES: 'worker' });
    const job = await jobThat(api.acme, id, ({ status }) => status !== 'running');
    await worker.stop();
    expect(job).toMatchObject({
      status: 'failed',
      error: { code: 'worker_lost', retryable: false, billing: 'possible' },
      cost: { micro_usd: null, billing: 'possible' },
      attempts: Array(3).fill({ state: 'uncertain', error: 'worker_lost' }),
    });
    expect(imageCalls(environment.studio, '[studio:hang]')).toHaveLength(before + 3);
  });

  it('still runs after three kills that ended three jobs at once each', async () => {
    const before = imageCalls(environment.studio, '[studio:hang]').length;
    const jobs = await Promise.all(
      [1, 2, 3].map((i) => api.acme.submit({ prompt: `Innocent ${i} [studio:hang]` })),
    );
    const ids = jobs.map(({ id }) => id);
    for (let kill = 0; kill < 3; kill++) await killDuringCalls(ids, before + 3 * kill);
    const worker = await startServiceProcess({ ...environment.env, ROLES: 'worker' });
    await vi.waitFor(
      () => expect(imageCalls(environment.studio, '[studio:hang]')).toHaveLength(before + 12),
      { timeout: 40_000, interval: 50 },
    );
    expect(await Promise.all(ids.map((id) => api.acme.job(id)))).toMatchObject(
      Array(3).fill({ status: 'running', error: null }),
    );
    await worker.stop('SIGKILL');
  });
});
