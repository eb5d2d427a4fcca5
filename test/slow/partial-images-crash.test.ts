import { describe, expect, it, type TestContext, vi } from 'vitest';
import { eventsOf, openEvents, readEvents } from '../support/event-stream.ts';
import { startServiceIn } from '../support/service.ts';
import { createEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

/** Tests previews in both modes of the OpenAI API when a worker is killed between a preview and the image. */

// Processes take many seconds to start on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const shape = (events: Awaited<ReturnType<typeof readEvents>>) =>
  events.flatMap(({ type, partial_image }) =>
    partial_image
      ? [`${type} ${partial_image.partial_image_index}`]
      : type === 'image.succeeded'
        ? [type]
        : [],
  );

async function deployment({ onTestFinished }: TestContext, mode: 'images' | 'responses') {
  const environment = await createEnvironment({ OPENAI_MODE: mode });
  onTestFinished(environment.remove);
  const api = await startServiceIn(environment, { ROLES: 'api' });
  onTestFinished(api.close);
  const startWorker = async () => {
    const worker = await startServiceProcess({ ...environment.env, ROLES: 'worker' });
    onTestFinished(() => worker.stop('SIGKILL').then(() => undefined));
    return worker;
  };
  return { environment, api, startWorker };
}

const paid = (calls: readonly { path: string; method: string }[]) =>
  calls.filter(
    ({ path, method }) => method === 'POST' && /^\/v1\/(responses|images\/generations)$/.test(path),
  );

describe('a worker that is killed between a preview and the image', () => {
  it('pays once more in the Images API, and both payments are in the ledger', async (context) => {
    const { environment, api, startWorker } = await deployment(context, 'images');
    const worker = await startWorker();
    const body = { prompt: 'A fox [studio:hang-mid,times=1]', partial_images: 2, on_uncertain: 'retry' };
    const { id } = await api.acme.submit(body);
    const seen = await eventsOf(await openEvents(api.url, id), 4);
    expect(shape(seen)).toEqual(['image.partial 0']);
    await worker.stop('SIGKILL');
    await startWorker();
    const job = await api.acme.ended(id);
    expect(job).toMatchObject({ status: 'succeeded', cost: { micro_usd: null, billing: 'charged' } });
    expect(job.attempts.map(({ state }) => state)).toEqual(['uncertain', 'stored']);
    expect(paid(environment.studio.calls)).toHaveLength(2);
    expect(environment.studio.chargedImages()).toBe(2);
    expect(shape(await readEvents(api.url, id))).toEqual([
      'image.partial 0',
      'image.partial 0',
      'image.partial 1',
      'image.succeeded',
    ]);
  });

  it('pays once in the Responses API, because the next run polls for the image', async (context) => {
    const { environment, api, startWorker } = await deployment(context, 'responses');
    const worker = await startWorker();
    const { id } = await api.acme.submit({ prompt: 'A fox [studio:latency=9000]', partial_images: 2 });
    const seen = await eventsOf(await openEvents(api.url, id), 4);
    expect(shape(seen)).toEqual(['image.partial 0']);
    await worker.stop('SIGKILL');
    await startWorker();
    const job = await api.acme.ended(id);
    expect(job).toMatchObject({ status: 'succeeded', cost: { billing: 'charged' } });
    expect(job.attempts.map(({ state }) => state)).toEqual(['stored']);
    expect(paid(environment.studio.calls)).toHaveLength(1);
    expect(environment.studio.chargedImages()).toBe(1);
  });

  it('costs nothing in the Responses API if only the stream breaks', async (context) => {
    const { environment, api, startWorker } = await deployment(context, 'responses');
    await startWorker();
    const job = await api.acme.generate({ prompt: 'A fox [studio:hang-up-mid]', partial_images: 2 });
    expect(job.attempts.map(({ state }) => state)).toEqual(['stored']);
    expect(paid(environment.studio.calls)).toHaveLength(1);
    expect(shape(await readEvents(api.url, job.id))).toEqual(['image.partial 0', 'image.succeeded']);
  });
});
