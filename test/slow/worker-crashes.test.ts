import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { jobThat } from '../support/caller.ts';
import { writeCatalogue } from '../support/catalogue.ts';
import { noiseImage } from '../support/images.ts';
import { serve } from '../support/scripted-server.ts';
import { createEnvironment, imageCalls } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// A killed worker's lock lives for ten seconds, and every kill needs a new process.
vi.setConfig({ testTimeout: 240_000 });

const withTime = { timeout: 60_000, interval: 50 };

/** Starts a deployment without a worker. */
async function startDeployment(variables: Record<string, string> = {}) {
  const environment = await createEnvironment({ WORKER_CONCURRENCY: '4', ...variables });
  const started: Awaited<ReturnType<typeof startServiceProcess>>[] = [];
  onTestFinished(async () => {
    await Promise.all(started.map((each) => each.stop('SIGKILL')));
    await environment.remove();
  });
  const start = async (ROLES: string) => {
    const process = await startServiceProcess({ ...environment.env, ROLES });
    started.push(process);
    return process;
  };
  const calls = () => imageCalls(environment.studio).length;
  return {
    acme: (await start('api')).acme,
    calls,
    startWorker: () => start('worker'),
    /** Kills a new worker as soon as the provider has seen so many calls. */
    async killAfterCalls(count: number) {
      const worker = await start('worker');
      await vi.waitFor(() => expect(calls()).toBe(count), withTime);
      await worker.stop('SIGKILL');
    },
  };
}

describe('a job whose workers are killed', () => {
  it('is paid once if its worker is killed while it fetches the link of the paid image', async () => {
    const png = await noiseImage(64, 64);
    const provider = await serve((response, { method, headers }) => {
      const isFirstFetch = provider.seen.filter((each) => each.method === 'GET').length === 1;
      if (method === 'POST')
        response.end(JSON.stringify({ data: [{ url: `http://${headers.host}/1.png` }] }));
      else if (!isFirstFetch) response.end(png);
    });
    const { acme, startWorker } = await startDeployment({
      OPENAI_BASE_URL: provider.url,
      CATALOGUE_FILE: await writeCatalogue(await temporaryFolder(), { sends_links: true }),
    });
    const { id } = await acme.submit({ prompt: 'Paid, and behind a link' });
    const worker = await startWorker();
    await provider.arrived(2);
    await worker.stop('SIGKILL');
    await startWorker();
    expect(await jobThat(acme, id, ({ status }) => status !== 'running')).toMatchObject({
      status: 'succeeded',
      images: [{ width: 64, height: 64 }],
      attempts: [{ state: 'stored' }],
    });
    expect(provider.seen.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET']);
  });

  it('fails with worker_lost after its worker was killed three times in a row, and shows every call', async () => {
    const { acme, calls, killAfterCalls, startWorker } = await startDeployment();
    const { id } = await acme.submit({ prompt: 'Crashes its worker [studio:hang]' });
    for (let kill = 1; kill <= 3; kill++) await killAfterCalls(kill);
    await startWorker();
    expect(await jobThat(acme, id, ({ status }) => status !== 'running')).toMatchObject({
      status: 'failed',
      error: { code: 'worker_lost', retryable: false, billing: 'possible' },
      cost: { micro_usd: null, billing: 'possible' },
      attempts: Array(3).fill({ state: 'uncertain', error: 'worker_lost' }),
    });
    expect(calls()).toBe(3);
  });

  it('still runs after three kills that ended three jobs at once each', async () => {
    const { acme, calls, killAfterCalls, startWorker } = await startDeployment();
    const jobs = await Promise.all(
      [1, 2, 3].map((i) => acme.submit({ prompt: `Innocent ${i} [studio:hang]` })),
    );
    for (let kill = 1; kill <= 3; kill++) await killAfterCalls(3 * kill);
    await startWorker();
    await vi.waitFor(() => expect(calls()).toBe(12), withTime);
    const states = await Promise.all(jobs.map(({ id }) => acme.job(id)));
    expect(states).toMatchObject(Array(3).fill({ status: 'running', error: null }));
  });
});
