import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageJob } from '../../../src/domain/image-job.ts';
import { createJobStore } from '../../../src/outbound/records/job-store.ts';
import { createKeys } from '../../../src/outbound/records/keys.ts';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { finishedJob, queuedJob } from '../../support/jobs.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

const jobCount = 10_000;
const sizes = [
  { width: 1024, height: 1024 },
  { width: 1536, height: 1024 },
  { width: 1024, height: 1536 },
];
const smallCount = 60;
/** The times of a busy machine vary. Work in proportion to the jobs would take a hundred times as long. */
const maxFactor = 4;

let service: TestService;
let browser: ConsoleBrowser;

beforeAll(async () => {
  if (!hasChromium) return;
  service = await startService({ MAX_OPEN_JOBS: '100000' });
  for (const [tenant, count] of [
    ['acme', jobCount],
    ['other', smallCount],
  ] as const) {
    const { id } = await service[tenant].generate({ prompt: 'The image of all jobs', quality: 'low' });
    await storeJobs(service, { tenant, count, storageKey: `${tenant}/${id}/0.png` });
  }
  browser = await openConsole(service.url);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await service?.close();
});

/** Writes ended jobs over the last days. All of them have the bytes of one stored image. */
async function storeJobs(
  { env }: TestService,
  { tenant, count, storageKey }: { tenant: string; count: number; storageKey: string },
): Promise<void> {
  const redis = new Redis({ path: env.REDIS_URL ?? '' });
  const records = createJobStore(redis, createKeys(env.REDIS_KEY_PREFIX ?? ''));
  const nowMs = Date.now();
  const jobs = Array.from({ length: count }, (_, i): ImageJob => {
    const queued = queuedJob({
      tenant,
      nowMs: nowMs - (i + 1) * 60_000,
      request: { prompt: `Image number ${i + 1}` },
    });
    const job = finishedJob(queued);
    const [image] = job.images;
    const later = { mediaExpiresAt: nowMs + 86_400_000, recordExpiresAt: nowMs + 86_400_000 };
    const images = image ? [{ ...image, ...sizes[i % sizes.length], storageKey }] : [];
    return { ...job, ...later, images };
  });
  for (let i = 0; i < jobs.length; i += 500) {
    await Promise.all(jobs.slice(i, i + 500).map((job) => records.submit({ job, maxOpenJobs: 100_000 })));
  }
  redis.disconnect();
}

/** Returns the milliseconds from the navigation to the first painted tiles, the best of three. */
async function firstTilesMs(key: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const { page, faults, close } = await browser.open('/gallery', { key });
    await page.getByText('Image number 1', { exact: true }).waitFor();
    const measured = 'performance.getEntriesByName("gallery-first-tiles")[0]?.duration';
    await page.waitForFunction(measured);
    times.push((await page.evaluate(measured)) as number);
    expect(faults).toEqual([]);
    await close();
  }
  return Math.min(...times);
}

describe.skipIf(!hasChromium)('a gallery of 10,000 jobs in Chromium', () => {
  it('shows its first images as quickly as a gallery of 60 jobs', async () => {
    const small = await firstTilesMs(testKeys.other);
    const large = await firstTilesMs(testKeys.acme);
    console.log(
      `first tiles of 60 jobs after ${Math.round(small)} ms, of 10,000 after ${Math.round(large)} ms`,
    );
    expect(large).toBeLessThan(small * maxFactor);
  });

  it('loads further pages while the user scrolls, and removes rows far from the visible part', async () => {
    const { page, faults, close } = await browser.open('/gallery', { key: testKeys.acme });
    await page.getByText('Image number 1', { exact: true }).waitFor();
    const far = page.getByText('Image number 400', { exact: true });
    while ((await far.count()) === 0) {
      await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
      await page.evaluate(
        'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))',
      );
    }
    expect(await page.locator('.tile').count()).toBeLessThan(150);
    expect(await page.getByText('Image number 1', { exact: true }).count()).toBe(0);
    await page.evaluate('scrollTo(0, 0)');
    await page.getByText('Image number 1', { exact: true }).waitFor();
    expect(faults).toEqual([]);
    await close();
  });
});
