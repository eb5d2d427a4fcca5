import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleBrowser, type ConsolePage, hasChromium, openConsole } from '../../support/console.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

const key = testKeys.acme;
let service: TestService;
let browser: ConsoleBrowser;
let ids: Record<string, string>;

beforeAll(async () => {
  if (!hasChromium) return;
  service = await startService({ THUMBNAILS: 'true' });
  browser = await openConsole(service.url);
  const made = async (body: object) => (await service.acme.generate({ quality: 'low', ...body })).id;
  ids = {
    wide: await made({ prompt: 'A wide harbor', size: '1536x1024', metadata: { campaign: 'spring' } }),
    tall: await made({ prompt: 'A tall poster', size: '1024x1536', metadata: { campaign: 'spring' } }),
    failed: await made({ prompt: 'A blocked portrait [studio:moderation]' }),
    square: await made({ prompt: 'A square fox', size: '1024x1024' }),
  };
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
});

const tile = (page: Page, name: string) => page.locator(`#tile-${ids[name]}`);
const mark = (page: Page, prompt: string) => page.getByLabel(`Select: ${prompt}`).check();

/** Opens the gallery in a new tab, which must show no fault at the end. */
async function withGallery(query: string, use: (tab: ConsolePage) => Promise<void>): Promise<void> {
  const tab = await browser.open(`/gallery${query}`, { key });
  await use(tab);
  expect(tab.faults).toEqual([]);
  await tab.close();
}

describe.skipIf(!hasChromium)('the gallery in Chromium', () => {
  it('every job is a tile in its true proportion under the heading of its day', () =>
    withGallery('', async ({ page, violations }) => {
      await page.getByRole('heading', { name: 'Today' }).waitFor();
      const ratio = async (name: string) => {
        const box = await tile(page, name).locator('.frame').boundingBox();
        return box ? box.width / box.height : 0;
      };
      expect(await ratio('wide')).toBeCloseTo(1.5, 1);
      expect(await ratio('tall')).toBeCloseTo(0.67, 1);
      await tile(page, 'failed').getByText('moderation_blocked').waitFor();
      expect(await violations()).toEqual([]);
    }));

  it('filters narrow the list, are part of the address, and are removed one by one', () =>
    withGallery('', async ({ page }) => {
      await tile(page, 'square').waitFor();
      await page.keyboard.press('/');
      await page.locator('select[aria-label="Status"]:focus').waitFor();
      await page.getByRole('combobox', { name: 'Status' }).selectOption('failed');
      await tile(page, 'square').waitFor({ state: 'detached' });
      await tile(page, 'failed').waitFor();
      expect(new URL(page.url()).search).toBe('?status=failed');
      await page.getByRole('combobox', { name: 'Status' }).selectOption('');
      await page.getByRole('button', { name: 'Metadata' }).click();
      await page.getByLabel('Key', { exact: true }).fill('campaign');
      await page.getByLabel('Value').fill('spring');
      await page.getByRole('button', { name: 'Apply filter' }).click();
      await tile(page, 'failed').waitFor({ state: 'detached' });
      await tile(page, 'wide').waitFor();
      await page.getByRole('button', { name: 'Remove the filter campaign = spring' }).click();
      await tile(page, 'failed').waitFor();
      await page.goBack();
      await tile(page, 'failed').waitFor({ state: 'detached' });
    }));

  it('filters without a match offer to clear them', () =>
    withGallery('?status=expired', async ({ page, violations }) => {
      await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
      expect(await violations()).toEqual([]);
      await page.getByRole('link', { name: 'Clear filters' }).click();
      await tile(page, 'square').waitFor();
    }));

  it('a click selects a job and shows its facts, and a second click opens it', () =>
    withGallery('', async ({ page, violations }) => {
      await tile(page, 'wide').click();
      const inspector = page.getByRole('complementary', { name: 'Selected job' });
      await inspector.getByText('campaign=spring').waitFor();
      expect(new URL(page.url()).searchParams.get('job')).toBe(ids.wide);
      expect(await violations()).toEqual([]);
      await page.keyboard.press('ArrowLeft');
      await inspector.getByText('A tall poster').waitFor();
      await page.keyboard.press('ArrowRight');
      await tile(page, 'wide').click();
      await page.getByRole('heading', { name: 'Timeline' }).waitFor();
      expect(new URL(page.url()).pathname).toBe(`/console/jobs/${ids.wide}`);
      await page.goBack();
      await inspector.getByText('campaign=spring').waitFor();
    }));

  it('two marked images are compared side by side with one zoom', () =>
    withGallery('', async ({ page, violations }) => {
      await mark(page, 'A wide harbor');
      await mark(page, 'A tall poster');
      await page.getByRole('button', { name: 'Compare' }).click();
      const dialog = page.getByRole('dialog', { name: 'Compare 2 images' });
      await dialog.getByRole('button', { name: 'Zoom in' }).click();
      const transforms = await dialog
        .locator('.compare-frame img')
        .evaluateAll((images) =>
          images.map((image) => (image as unknown as { style: { transform: string } }).style.transform),
        );
      expect(transforms).toHaveLength(2);
      expect(new Set(transforms)).toEqual(new Set(['translate(0%, 0%) scale(1.5)']));
      expect(await violations()).toEqual([]);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    }));

  it('new jobs appear at the top by themselves, and wait above the list while the user reads further down', () =>
    withGallery('', async ({ page }) => {
      await tile(page, 'square').waitFor();
      const { id } = await service.acme.generate({ prompt: 'A new heron', quality: 'low' });
      await page.locator(`#tile-${id}`).waitFor();
      await page.setViewportSize({ width: 390, height: 500 });
      await page.evaluate('scrollTo(0, 300)');
      await page.waitForFunction('scrollY === 300');
      const later = await service.acme.generate({ prompt: 'A later heron', quality: 'low' });
      const laterTile = page.locator(`#tile-${later.id}`);
      const button = page.getByRole('button', { name: '1 new job' });
      await button.waitFor();
      expect(await laterTile.count()).toBe(0);
      expect(await page.evaluate('scrollY')).toBe(300);
      await button.click();
      await laterTile.waitFor();
      await page.waitForFunction('scrollY === 0');
      expect(await button.count()).toBe(0);
    }));

  it('erased jobs leave the gallery after a question, and the focus goes to the next tile', () =>
    withGallery('', async ({ page, violations }) => {
      const { id } = await service.acme.generate({ prompt: 'An erased egret', quality: 'low' });
      await page.locator(`#tile-${id}`).waitFor();
      // The erased job is the newest one.
      const { body } = await service.acme.get('/images?limit=2').expect(200);
      await mark(page, 'An erased egret');
      await page.getByRole('button', { name: 'Erase' }).click();
      const dialog = page.getByRole('dialog', { name: 'Erase 1 job?' });
      expect(await violations()).toEqual([]);
      await dialog.getByRole('button', { name: 'Erase' }).click();
      await page.getByRole('status').getByText('1 job erased.').waitFor();
      await page.locator(`#tile-${id}`).waitFor({ state: 'detached' });
      expect((await service.acme.get(`/images/${id}`)).status).toBe(410);
      await page.waitForFunction(`document.activeElement.id === 'tile-${body.data[1].id}'`);
    }));
});
