import { beforeAll, describe, expect, it } from 'vitest';
import { Darkroom } from '../../../clients/typescript/src/index.ts';
import { startCutOnceProxy } from '../../support/cut-once-proxy.ts';
import { noiseImage, sha256 } from '../../support/images.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

let service: TestService;
let photo: Blob;
beforeAll(async () => {
  service = await startService();
  photo = new Blob([new Uint8Array(await noiseImage(64, 48))], { type: 'image/png' });
  return service.close;
});

type Make = (darkroom: Darkroom, prompt: string) => ReturnType<Darkroom['generate']>;

/** Makes an image through a proxy that cuts every connection once, and checks that one image was made and arrived. */
async function makeThrough(make: Make, prompt: string, cutAfterBytes?: number) {
  const proxy = await startCutOnceProxy(service.url, cutAfterBytes);
  const darkroom = new Darkroom({ apiKey: testKeys.acme, baseUrl: proxy.url });
  const { id, images } = await make(darkroom, prompt);
  const bytes = await images[0].bytes();

  const calls = service.studio.calls.filter((call) => call.prompt?.includes(prompt));
  expect(calls, `${prompt}: calls of the provider`).toHaveLength(1);
  const { body } = await service.acme.get('/images?limit=100').expect(200);
  const jobs = (body.data as { id: string; request: { prompt: string } }[]).filter(
    (job) => job.request.prompt === prompt,
  );
  expect(jobs.map((job) => job.id)).toEqual([id]);
  expect(sha256(bytes)).toBe((await service.acme.job(id)).images[0]?.sha256);
  return proxy;
}

const makers: readonly [string, Make][] = [
  ['generate', (darkroom, prompt) => darkroom.generate({ prompt })],
  ['edit', (darkroom, prompt) => darkroom.edit({ prompt, images: photo })],
];

describe('the TypeScript client on a broken network', () => {
  it.each(makers)('a connection cut at any stage of %s never pays twice', async (verb, make) => {
    // The calls of an undisturbed run are the stages: submit, stream, download.
    const { segments } = await makeThrough(make, `${verb} without a cut`);
    expect(segments.filter(({ to }) => to === 'service').length).toBeGreaterThanOrEqual(3);
    const stages = segments.flatMap(({ start, end }) => [start + 1, Math.floor((start + end) / 2), end]);
    for (const cutAfterBytes of new Set(stages.slice(0, -1))) {
      const prompt = `${verb} cut after ${String(cutAfterBytes).padStart(6, '0')} bytes`;
      const { wasCut } = await makeThrough(make, prompt, cutAfterBytes);
      expect(wasCut(), prompt).toBe(true);
    }
  });
});
