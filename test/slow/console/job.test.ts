import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleBrowser, type ConsolePage, hasChromium, openConsole } from '../../support/console.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

const key = testKeys.acme;
let service: TestService;
let browser: ConsoleBrowser;

beforeAll(async () => {
  if (!hasChromium) return;
  service = await startService({ ON_UNCERTAIN: 'fail' });
  browser = await openConsole(service.url);
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
});

/** Opens a job in a new tab, which must show no fault at the end. */
async function withJob(
  id: string,
  use: (tab: ConsolePage) => Promise<void>,
  options: { key: string } = { key },
): Promise<void> {
  const tab = await browser.open(`/jobs/${id}`, options);
  await use(tab);
  expect(tab.faults).toEqual([]);
  await tab.close();
}

describe.skipIf(!hasChromium)('the screen of a job in Chromium', () => {
  it('a job shows its stages, its calls with ids and costs, its events and its JSON', async () => {
    const job = await service.acme.generate({ prompt: 'A fox', enhance: 'always', quality: 'low', n: 2 });
    await withJob(job.id, async ({ page, violations }) => {
      const timeline = page.getByRole('table', { name: 'Stages with durations' });
      for (const name of ['Queued', 'Enhancing', 'Generating 1', 'Generating 2']) {
        await timeline.getByRole('rowheader', { name }).waitFor();
      }
      const attempts = page.getByRole('table').filter({ hasText: 'Provider request' });
      expect(await attempts.getByText('Stored').count()).toBe(3);
      for (const { provider_request_id } of job.attempts) {
        await attempts.getByTitle(provider_request_id ?? 'missing', { exact: true }).waitFor();
      }
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 900 });
        const costs = await attempts.locator('.pinned').all();
        for (const cost of costs) {
          const box = await cost.boundingBox();
          expect((box?.x ?? width) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
        }
        expect(costs).toHaveLength(5);
      }
      await page.getByRole('listitem').getByText('image.succeeded').waitFor();
      await page.getByText('Raw JSON').click();
      await page.getByText('"object": "image_job"').waitFor();
      expect(await violations()).toEqual([]);
    });
  });

  it('a running job is canceled, and a canceled job is retried after its cost was shown', async () => {
    const { id } = await service.acme.submit({ prompt: 'A slow sloth [studio:latency=600000]' });
    await withJob(id, async ({ page, violations }) => {
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.locator('.job-head, .page').getByText('Canceled').first().waitFor();
      await page.getByRole('button', { name: 'Retry' }).click();
      const dialog = page.getByRole('dialog', { name: 'Retry this job?' });
      await dialog
        .getByText(/^\$0\.0*[1-9]/)
        .first()
        .waitFor();
      expect(await violations()).toEqual([]);
      await dialog.getByRole('button', { name: 'Retry' }).click();
      await page.waitForURL((url) => !url.pathname.endsWith(id));
      await page.getByText('Earlier job').waitFor();
      const retried = new URL(page.url()).pathname.split('/').at(-1) ?? '';
      expect(await service.acme.job(retried)).toMatchObject({ parent_id: id });
      await service.acme.post(`/images/${retried}/cancel`).expect(200);
    });
  });

  it('a failed job says what failed and what was charged', async () => {
    const { id } = await service.acme.generate({ prompt: 'Blocked [studio:moderation]' });
    await withJob(id, async ({ page, violations }) => {
      await page.getByRole('link', { name: 'moderation_blocked' }).first().waitFor();
      await page.getByText('nothing was charged').first().waitFor();
      expect(await violations()).toEqual([]);
    });
  });

  it('a charge that is possible is settled with an amount', async () => {
    const { body } = await service.acme
      .post('/keys')
      .set('authorization', `Bearer ${testKeys.admin}`)
      .send({ tenant: 'acme', name: 'manager', scopes: ['admin'] })
      .expect(201);
    const { id } = await service.acme.generate({ prompt: 'Lost [studio:hang-up]', quality: 'low' });
    await withJob(
      id,
      async ({ page }) => {
        await page.getByText('One provider call has an unknown cost.').waitFor();
        await page.getByRole('button', { name: 'Settle charge' }).click();
        const dialog = page.getByRole('dialog', { name: 'Settle the open charge?' });
        await dialog.getByLabel('Amount').fill('0.0414');
        await dialog.getByRole('button', { name: 'Settle' }).click();
        await page.getByText('$0.0414').first().waitFor();
        await page.getByText('One provider call has an unknown cost.').waitFor({ state: 'detached' });
      },
      { key: body.key },
    );
    expect((await service.acme.job(id)).cost).toMatchObject({ micro_usd: 41_400, billing: 'charged' });
  });

  it('a job is erased after a question, and its address then says so', async () => {
    const { id } = await service.acme.generate({ prompt: 'An erased job', quality: 'low' });
    await withJob(id, async ({ page, violations }) => {
      await page.getByRole('button', { name: 'Erase' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Erase' }).click();
      await page.waitForURL((url) => url.pathname === '/console/gallery');
      await page.goBack();
      await page.getByRole('heading', { name: 'This job was erased' }).waitFor();
      expect(await violations()).toEqual([]);
    });
  });

  it('an unknown id leads back to the gallery', () =>
    withJob('img_01KAR3S9Z8QJ4V5W6X7Y8Z9A0B', async ({ page }) => {
      await page.getByRole('heading', { name: 'No such job for this key' }).waitFor();
      await page.getByRole('link', { name: 'Open the gallery' }).click();
      await page.getByRole('heading', { name: 'Gallery', level: 1 }).waitFor();
    }));
});
