import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { hasChromium } from '../../support/console.ts';
import { consoleService } from '../../support/console-service.ts';
import { manageKeysOf } from '../../support/managed-keys.ts';
import { testKeys } from '../../support/service-environment.ts';

describe.skipIf(!hasChromium)('the reasons of the console in Chromium', () => {
  const started = consoleService();

  /** Returns the text of the cost line, once the button has a reason. */
  async function costWith(page: Page, reason: string): Promise<string | null> {
    await page.locator('#generate-reason').getByText(reason).waitFor();
    return page.locator('.cost-amount').textContent();
  }

  it('a key for presets only begins with a preset, and is offered no request without one', async () => {
    const { key } = await manageKeysOf(started.service.url).create({
      tenant: 'acme',
      name: 'presets',
      scopes: ['images:read', 'images:write'],
      presets_only: true,
    });
    const { page, violations, close } = await started.browser.open('/playground', { key });
    const preset = page.getByRole('combobox', { name: 'Preset' });
    await expect.poll(() => preset.inputValue()).not.toBe('');
    expect(await preset.getByRole('option', { name: 'none' }).count()).toBe(0);
    await page.getByLabel('Prompt').fill('A fox');
    await page.locator('button:enabled', { hasText: 'Generate' }).click();
    await page.getByText('Succeeded').first().waitFor();
    expect(await violations()).toEqual([]);
    await close();
  });

  it('a key for one model begins with that model, and is offered no other', async () => {
    const { key } = await manageKeysOf(started.service.url).create({
      tenant: 'acme',
      name: 'flare',
      scopes: ['images:read', 'images:write'],
      models: ['gpt-image-2.6-flare'],
    });
    const { page, close } = await started.browser.open('/playground', { key });
    const model = page.getByRole('combobox', { name: 'Model' });
    await expect.poll(() => model.inputValue()).toBe('gpt-image-2.6-flare');
    expect(await model.getByRole('option').count()).toBe(1);
    await page.getByLabel('Prompt').fill('A fox');
    await page.locator('button:enabled', { hasText: 'Generate' }).click();
    await page.getByText('Succeeded').first().waitFor();
    await close();
  });

  it('a field that the service refuses is named at the button, with its fault', async () => {
    const { page, close } = await started.browser.open('/playground', { key: testKeys.acme });
    await page.getByLabel('Prompt').fill('A fox');
    await page.getByText('Advanced').click();
    await page.getByLabel('Webhook').fill('nowhere');
    expect(await costWith(page, 'webhook')).toBe('–');
    expect(await page.getByText('fields listed in errors').count()).toBe(0);
    await close();
  });

  it('the total of the calls is apart from the remark on unknown costs', async () => {
    const { id } = await started.service.acme.generate({ prompt: 'Lost [studio:hang-up]', quality: 'low' });
    const { page, close } = await started.browser.open(`/jobs/${id}`, { key: testKeys.acme });
    await page.getByText(/^Known total · \d calls? of unknown cost/).waitFor();
    await close();
  });

  it('a job of unknown cost says why in the playground, and leads to its calls', async () => {
    const { id } = await started.service.acme.generate({
      prompt: 'Lost once [studio:hang-up,times=1]',
      quality: 'low',
    });
    const { page, violations, close } = await started.browser.open(`/playground?job=${id}`, {
      key: testKeys.acme,
    });
    const reason = page.getByText(/^The charge of a provider call is not known/);
    await reason.waitFor();
    expect(await violations()).toEqual([]);
    await reason.getByRole('link').click();
    await page.getByText(/^Known total · \d calls? of unknown cost/).waitFor();
    await close();
  });

  it('a visitor without a key is led to the page on keys', async () => {
    const { page, close } = await started.browser.openSignedOut('');
    await page.getByRole('link', { name: 'How to create a key' }).click();
    await page.waitForURL('**/docs/keys');
    await page.getByRole('heading', { name: /^API keys/, level: 1 }).waitFor();
    await close();
  });
});
