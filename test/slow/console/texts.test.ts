import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { manageKeysOf } from '../../support/managed-keys.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

describe.skipIf(!hasChromium)('the reasons of the console in Chromium', () => {
  let service: TestService;
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    service = await startService();
    browser = await openConsole(service.url);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  /** Returns the text of the cost line, once the button has a reason. */
  async function costWith(page: Page, reason: string): Promise<string | null> {
    await page.locator('#generate-reason').getByText(reason).waitFor();
    return page.locator('.cost-amount').textContent();
  }

  it('the reason of a key for presets only is the missing preset, not the prompt that it has', async () => {
    const { key } = await manageKeysOf(service.url).create({
      tenant: 'acme',
      name: 'presets',
      scopes: ['images:read', 'images:write'],
      presets_only: true,
    });
    const { page, violations, close } = await browser.open('/playground', { key });
    await page.getByLabel('Prompt').fill('A fox');
    expect(await costWith(page, 'This key needs a preset.')).toBe('–');
    expect(await violations()).toEqual([]);
    await page.getByRole('combobox', { name: 'Preset' }).selectOption({ index: 1 });
    await page.locator('#generate-reason').waitFor({ state: 'detached' });
    await close();
  });

  it('a field that the service refuses is named at the button, with its fault', async () => {
    const { page, close } = await browser.open('/playground', { key: testKeys.acme });
    await page.getByLabel('Prompt').fill('A fox');
    await page.getByText('Advanced').click();
    await page.getByLabel('Webhook').fill('nowhere');
    expect(await costWith(page, 'webhook')).toBe('–');
    expect(await page.getByText('fields listed in errors').count()).toBe(0);
    await close();
  });

  it('the total of the calls is apart from the remark on unknown costs', async () => {
    const { id } = await service.acme.generate({ prompt: 'Lost [studio:hang-up]', quality: 'low' });
    const { page, close } = await browser.open(`/jobs/${id}`, { key: testKeys.acme });
    await page.getByText(/^Known total · \d calls? of unknown cost/).waitFor();
    await close();
  });

  it('a visitor without a key is led to the page on keys', async () => {
    const { page, close } = await browser.openSignedOut('');
    await page.getByRole('link', { name: 'How to create a key' }).click();
    await page.waitForURL('**/docs/keys');
    await page.getByRole('heading', { name: /^API keys/, level: 1 }).waitFor();
    await close();
  });
});
