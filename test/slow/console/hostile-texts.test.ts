import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleBrowser, type ConsolePage, hasChromium, openConsole } from '../../support/console.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

const markup = '<img src=x onerror="window.wasRun = true"><script>window.wasRun = true</script>';
const longPrompt = 'A word of a long prompt. '.repeat(600);
const longUrl = `http://127.0.0.1:9/${'long-path-'.repeat(20)}?text=${encodeURIComponent(markup)}`;

describe.skipIf(!hasChromium)('texts of users in the console in Chromium', () => {
  let service: TestService;
  let browser: ConsoleBrowser;
  let ids: { readonly markup: string; readonly long: string };
  beforeAll(async () => {
    service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true' });
    const endpoint = { url: longUrl, description: markup };
    await service.acme.post('/webhooks/endpoints').send(endpoint).expect(201);
    const made = async (body: object) => (await service.acme.generate({ quality: 'low', ...body })).id;
    ids = {
      markup: await made({ prompt: markup, metadata: { 'k<b>': markup, campaign: 'spring' } }),
      long: await made({ prompt: longPrompt }),
    };
    browser = await openConsole(service.url);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  const widthBeyond = (page: Page) =>
    page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');

  async function withPage(
    path: string,
    options: { width?: number },
    use: (tab: ConsolePage) => Promise<void>,
  ): Promise<void> {
    const tab = await browser.open(path, { key: testKeys.acme, ...options });
    await tab.page.getByRole('main').waitFor();
    await use(tab);
    expect(tab.faults).toEqual([]);
    await tab.close();
  }

  it('markup in a prompt, its metadata and an endpoint is shown as text, and no screen runs it', async () => {
    const paths = ['/gallery?job=ID', '/jobs/ID', '/playground?job=ID', '/webhooks'];
    for (const path of paths) {
      await withPage(path.replace('ID', ids.markup), {}, async ({ page }) => {
        await page
          .locator('body')
          .getByText('onerror=')
          .or(page.getByAltText(/onerror=/))
          .first()
          .waitFor();
        expect(await page.evaluate('window.wasRun')).toBeUndefined();
      });
    }
  });

  it('a long prompt scrolls within its area, and the attempts of its job stay in sight', () =>
    withPage(`/jobs/${ids.long}`, {}, async ({ page, violations }) => {
      const attempts = await page.getByRole('heading', { name: 'Attempts' }).boundingBox();
      expect(attempts?.y).toBeLessThan(900);
      expect(await violations()).toEqual([]);
    }));

  it('the action of an endpoint with a long address stays in sight', () =>
    withPage('/webhooks', {}, async ({ page }) => {
      const row = page.getByRole('row').filter({ hasText: 'long-path' });
      const action = await row.getByRole('button').boundingBox();
      expect((action?.x ?? 0) + (action?.width ?? 0)).toBeLessThan(1440);
    }));

  it('long texts make no screen wider than a phone', async () => {
    for (const path of [`/gallery?job=${ids.markup}`, `/jobs/${ids.long}`, '/webhooks', '/keys', '/usage']) {
      await withPage(path, { width: 320 }, async ({ page }) => {
        await page.getByRole('heading', { level: 1 }).waitFor();
        expect(await widthBeyond(page)).toBe(0);
      });
    }
  });
});
