import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { createCaller } from '../../support/caller.ts';
import { hasChromium, openConsole } from '../../support/console.ts';
import { consoleService } from '../../support/console-service.ts';
import { manageKeysOf } from '../../support/managed-keys.ts';
import { startService } from '../../support/service.ts';
import { testKeys, textCalls } from '../../support/service-environment.ts';

describe.skipIf(!hasChromium)('the enhancement of a prompt in Chromium', () => {
  const started = consoleService();

  const calls = (prompt: string) => textCalls(started.service.studio, prompt).length;

  /** Opens the dialog for a prompt, and waits for its cost. */
  async function openDialog(page: Page, prompt: string) {
    await page.getByRole('textbox', { name: /^Prompt/ }).fill(prompt);
    await page.getByRole('button', { name: 'Preview enhancement' }).click();
    const dialog = page.getByRole('dialog', { name: 'Enhance this prompt?' });
    await dialog
      .getByText(/^\$0\.\d{4}$/)
      .first()
      .waitFor();
    return page.getByRole('dialog');
  }
  const open = (key: string = testKeys.acme) => started.browser.open('/playground', { key });

  it('the cost of an enhancement is shown before its call, and the description is edited and used', async () => {
    const { page, faults, violations, close } = await open();
    const dialog = await openDialog(page, 'A heron before dawn');
    await dialog.getByText('Costs at most').waitFor();
    expect(calls('A heron before dawn')).toBe(0);
    expect(await violations()).toEqual([]);

    await dialog.getByRole('button', { name: 'Enhance' }).click();
    const description = dialog.getByRole('textbox', { name: 'Enhanced' });
    await description.waitFor();
    expect(await description.inputValue()).toMatch(/heron/i);
    await dialog.getByText('The enhancement cost').waitFor();
    expect(await violations()).toEqual([]);
    await description.fill('A heron, edited');
    await dialog.getByRole('button', { name: 'Use enhanced' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await page.getByRole('textbox', { name: /^Prompt/ }).inputValue()).toBe('A heron, edited');
    expect(calls('A heron before dawn')).toBe(1);
    expect(faults).toEqual([]);
    await close();
  });

  it('a paid description stays until it is discarded, and the prompt remains', async () => {
    const prompt = 'A quiet quail';
    const { page, close } = await open();
    const dialog = await openDialog(page, prompt);
    await dialog.getByRole('button', { name: 'Enhance' }).click();
    await dialog.getByRole('textbox', { name: 'Enhanced' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Preview enhancement' }).click();
    await dialog.getByRole('textbox', { name: 'Enhanced' }).waitFor();
    await dialog.getByRole('button', { name: 'Keep original' }).click();
    expect(await page.getByRole('textbox', { name: /^Prompt/ }).inputValue()).toBe(prompt);
    await openDialog(page, prompt);
    expect(calls(prompt)).toBe(1);
    await close();
  });

  it('a lost response is repeated with the same key, so that the description is paid once', async () => {
    const prompt = 'A stork that is paid once';
    const { page, close } = await open();
    let lost = 0;
    await page.route('**/prompts/enhance', async (route) => {
      if (lost > 0) return route.continue();
      lost += 1;
      await route.fetch();
      return route.abort('connectionreset');
    });
    const dialog = await openDialog(page, prompt);
    await dialog.getByRole('button', { name: 'Enhance' }).click();
    await dialog.getByRole('alert').getByRole('button', { name: 'Retry' }).click();
    await dialog.getByRole('textbox', { name: 'Enhanced' }).waitFor();
    expect(calls(prompt)).toBe(1);
    await close();
  });

  it('a failed enhancement states its charge, and only a retry calls again', async () => {
    const prompt = 'A faulty falcon [studio:enhance-hang-up]';
    const { page, violations, close } = await open();
    const dialog = await openDialog(page, prompt);
    await dialog.getByRole('button', { name: 'Enhance' }).click();
    const alert = dialog.getByRole('alert');
    await alert.getByText('provider_outcome_unknown').waitFor();
    await alert.getByText('502 · a charge is possible').waitFor();
    expect(await violations()).toEqual([]);
    expect(calls('A faulty falcon')).toBe(1);
    await dialog.getByRole('button', { name: 'Keep original' }).click();
    expect(await page.getByRole('textbox', { name: /^Prompt/ }).inputValue()).toBe(prompt);
    await close();
  });

  it('a budget that is too small disables the enhancement, and one that is used up before the click refuses it', async () => {
    const { operator } = manageKeysOf(started.service.url);
    const keyOf = async (limitMicroUsd: number): Promise<string> => {
      const budgets = [{ window: 'day', limit_micro_usd: limitMicroUsd }];
      const scopes = ['images:read', 'images:write'];
      const { body } = await operator
        .post('/keys')
        .send({ tenant: `enhance-${limitMicroUsd}`, name: 'small', scopes, budgets })
        .expect(201);
      return body.key;
    };
    const poor = await open(await keyOf(100));
    const refused = await openDialog(poor.page, 'A hawk too much');
    await refused.getByText('The remaining budget of the key is lower than this cost.').waitFor();
    expect(await refused.getByRole('button', { name: 'Enhance' }).isDisabled()).toBe(true);
    expect(await poor.violations()).toEqual([]);
    await poor.close();

    const key = await keyOf(10_000);
    const { page, close } = await open(key);
    const dialog = await openDialog(page, 'A hawk too late');
    await createCaller(started.service.url, key)
      .post('/prompts/enhance')
      .send({ prompt: 'A faster hawk' })
      .expect(200);
    await dialog.getByRole('button', { name: 'Enhance' }).click();
    const alert = dialog.getByRole('alert');
    await alert.getByText('budget_exceeded').waitFor();
    await alert.getByText('402', { exact: true }).waitFor();
    expect(calls('A hawk too')).toBe(0);
    await close();
  });

  it('an enhancement of unknown price says so on its button', async () => {
    const unpriced = await startService({ ENHANCE_MODEL: 'model-of-tomorrow' });
    const other = await openConsole(unpriced.url);
    const { page, close } = await other.open('/playground', { key: testKeys.acme });
    await page.getByRole('textbox', { name: /^Prompt/ }).fill('A plover');
    await page.getByRole('button', { name: 'Preview enhancement' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('unknown', { exact: true }).waitFor();
    await dialog.getByText('its cost stays unknown').waitFor();
    await dialog.getByRole('button', { name: 'Enhance at an unknown cost' }).waitFor();
    await close();
    await other.close();
    await unpriced.close();
  });
});
