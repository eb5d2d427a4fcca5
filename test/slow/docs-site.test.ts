import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { hasChromium, launchChromium, newPage, violationsOf } from '../support/chromium.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
let browser: Browser;
beforeAll(async () => {
  if (!hasChromium) return;
  service = await startService();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
});

/** Opens a page of the site. `faults` gets messages of the console and requests to other origins. */
async function open(
  path: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; faults: string[] }> {
  const page = await newPage(browser, { viewport: { width: 1440, height: 900 }, ...options });
  onTestFinished(() => page.close());
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(service.url)) faults.push(`request to ${request.url()}`);
  });
  await page.goto(service.url + path);
  return { page, faults };
}

describe.skipIf(!hasChromium)('the documentation site in Chromium', () => {
  it('the type of a problem leads to the marked row of its code', async () => {
    const { body } = await service.acme.get('/images/img_none');
    const { page, faults } = await open(new URL(body.type).pathname + new URL(body.type).hash);
    const row = page.locator('tr:target');
    expect(await row.textContent()).toContain('not_found');
    expect(await row.evaluate((element) => element.checkVisibility())).toBe(true);
    expect(faults).toEqual([]);
  });

  it('the search opens with a slash, is used by keyboard, and leads to the section', async () => {
    const { page, faults } = await open('/docs');
    await page.keyboard.press('/');
    await page.keyboard.type('REQUIRE_AOF');
    await page.locator('#results a').first().waitFor();
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('#results [aria-selected="true"]').count()).toBe(1);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/docs\/\w+#/);
    await page.locator('#search').fill('no such word anywhere');
    await page.getByText('Nothing found').waitFor({ state: 'attached' });
    expect(faults).toEqual([]);
  });

  it('the search finds names with underscores and hyphens, and marks them in their text', async () => {
    const { page, faults } = await open('/docs');
    for (const word of ['budget_exceeded', 'x-request-id', '{id}']) {
      await page.locator('#search').fill(word);
      await page.locator('#results mark').getByText(word, { exact: true }).first().waitFor();
    }
    expect(faults).toEqual([]);
  });

  it('an address with a slash at its end leads to the page, whose links are relative', async () => {
    const { page, faults } = await open('/docs/errors/');
    expect(page.url()).toBe(`${service.url}/docs/errors`);
    expect(faults).toEqual([]);
  });

  it('pages and their navigation work without JavaScript', async () => {
    const { page } = await open('/docs', { javaScriptEnabled: false });
    expect(await page.locator('#search').isVisible()).toBe(false);
    await page.getByRole('link', { name: 'Webhooks', exact: true }).first().click();
    expect(await page.title()).toBe('Webhooks · Darkroom');
    expect(await page.getByRole('heading', { name: 'Verify' }).isVisible()).toBe(true);
  });

  it.each([320, 390, 1024, 1440])('no page scrolls sideways at %i pixels', async (width) => {
    const { page } = await open('/docs', { viewport: { width, height: 800 } });
    for (const path of ['start', 'recipes', 'errors', 'configuration', 'webhooks', 'operating', 'python']) {
      await page.goto(`${service.url}/docs/${path}`);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect({ path, overflow }).toEqual({ path, overflow: 0 });
    }
  });

  it('pages have no violation of the accessibility rules, in light and dark, with and without results', async () => {
    const { page } = await open('/docs', { bypassCSP: true });
    for (const path of ['start', 'recipes', 'errors', 'configuration', 'webhooks']) {
      await page.goto(`${service.url}/docs/${path}`);
      expect({ path, violations: await violationsOf(page) }).toEqual({ path, violations: [] });
    }
    await page.locator('#search').fill('mask');
    await page.locator('#results a').first().waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${service.url}/docs/errors`);
    expect(await violationsOf(page)).toEqual([]);
  });

  it('the chosen theme lasts over pages', async () => {
    const { page } = await open('/docs', { colorScheme: 'light' });
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await background();
    for (const theme of ['light', 'dark']) {
      await page.getByRole('button', { name: /^Theme/ }).click();
      await page.getByRole('button', { name: `Theme: ${theme}` }).waitFor();
    }
    expect(await background()).not.toBe(light);
    await page.goto(`${service.url}/docs/errors`);
    expect(await background()).not.toBe(light);
  });
});
