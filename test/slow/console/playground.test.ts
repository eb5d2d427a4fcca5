import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

describe.skipIf(!hasChromium)('the playground in Chromium', () => {
  let service: TestService;
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    service = await startService({ THUMBNAILS: 'true' });
    browser = await openConsole(service.url);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  const open = () => browser.open('/playground', { key: testKeys.acme });
  const result = (page: Page) => page.getByRole('region', { name: 'Result' });

  /** Waits until the current job has ended, and returns its id. */
  async function ended(page: Page): Promise<string> {
    await result(page).getByText('Succeeded').waitFor({ timeout: 30_000 });
    return new URL(page.url()).searchParams.get('job') ?? '';
  }

  it('the cost is shown before the click, and the images appear with live progress', async () => {
    const { page, faults, violations, close } = await open();
    await page.getByLabel('Prompt').fill('A lighthouse in a storm');
    await page.getByRole('radio', { name: 'Medium' }).check();
    await page.getByRole('button', { name: 'More images' }).click();
    await page.getByRole('button', { name: 'More previews' }).click();
    const cost = page.locator('.cost-amount');
    await cost.getByText(/^\$0\.\d{4}$/).waitFor();
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: 'Generate 2 images' }).click();
    await page.getByRole('progressbar', { name: 'Job progress' }).waitFor();
    const id = await ended(page);
    const frame = result(page).locator('.result > .frame img[data-loaded=true]');
    await frame.waitFor();
    expect(
      await result(page)
        .getByRole('button', { name: /^Image \d, stored$/ })
        .count(),
    ).toBe(2);
    const { body: job } = await service.acme.get(`/images/${id}`).expect(200);
    expect(job.request).toMatchObject({ n: 2, quality: 'medium', partial_images: 1 });
    expect(await violations()).toEqual([]);
    expect(faults).toEqual([]);
    await close();
  });

  it('an image is edited with a mask that was painted with the pointer and with numbers', async () => {
    const { body: accepted } = await service.acme
      .post('/images')
      .send({ prompt: 'A harbor', size: '1024x1024' });
    await service.acme.ended(accepted.id);
    const { page, faults, violations, close } = await browser.open(`/playground?job=${accepted.id}`, {
      key: testKeys.acme,
    });
    await ended(page);
    await result(page).getByRole('button', { name: 'Edit' }).click();
    await page.getByRole('button', { name: 'Paint a mask' }).click();
    const dialog = page.getByRole('dialog');
    const canvas = dialog.locator('canvas');
    await canvas.waitFor();
    const box = await canvas.boundingBox();
    if (!box) throw new Error('the canvas is not visible');
    await page.mouse.move(box.x + box.width / 4, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + 120, { steps: 4 });
    await page.mouse.up();
    await dialog.getByText(/^[1-9]\d* % of the image will change$/).waitFor();
    await dialog.getByRole('button', { name: 'Rectangle' }).click();
    await dialog.getByLabel('Width').fill('1024');
    await dialog.getByRole('button', { name: 'Add rectangle' }).click();
    await dialog.getByText(/^5\d % of the image will change$/).waitFor();
    expect(await violations()).toEqual([]);
    await dialog.getByRole('button', { name: 'Use mask' }).click();
    await page.getByAltText('The mask').waitFor();
    await page.getByLabel('Prompt').fill('Add a red boat');
    await page.getByRole('button', { name: 'Generate 1 image' }).click();
    await page.waitForURL((url) => url.searchParams.get('job') !== accepted.id);
    const { body: job } = await service.acme.get(`/images/${await ended(page)}`).expect(200);
    expect(job.inputs.map(({ role }: { role: string }) => role)).toEqual(['image', 'mask']);
    expect(faults).toEqual([]);
    await close();
  });

  it('a response that is lost is repeated with the same key, and the image is paid once', async () => {
    const { page, close } = await open();
    let lost = 0;
    await page.route('**/images', async (route) => {
      if (route.request().method() !== 'POST' || lost > 0) return route.continue();
      lost += 1;
      // The service accepts the request, and the page never sees the response.
      await route.fetch();
      return route.abort('connectionreset');
    });
    await page.getByLabel('Prompt').fill('An owl that is paid once');
    await page.getByRole('button', { name: 'Generate 1 image' }).click();
    await ended(page);
    expect(lost).toBe(1);
    const { body } = await service.acme.get('/images').query({ limit: 100 }).expect(200);
    const prompts = body.data.map((job: { prompt: { original: string } }) => job.prompt.original);
    expect(prompts.filter((prompt: string) => prompt === 'An owl that is paid once')).toHaveLength(1);
    await close();
  });

  it('a retry submits the request that was refused for a moment', async () => {
    const { page, close } = await open();
    let refused = 0;
    await page.route('**/images', async (route) => {
      if (route.request().method() !== 'POST' || refused > 0) return route.continue();
      refused += 1;
      const problem = {
        type: 'about:blank',
        title: 'Busy.',
        status: 503,
        code: 'queue_full',
        retryable: true,
      };
      return route.fulfill({ status: 503, contentType: 'application/problem+json', json: problem });
    });
    await page.getByLabel('Prompt').fill('An owl that waits');
    await page.getByRole('button', { name: 'Generate 1 image' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('queue_full').waitFor();
    await alert.getByRole('button', { name: 'Retry' }).click();
    const { body: job } = await service.acme.get(`/images/${await ended(page)}`).expect(200);
    expect(job.prompt.original).toBe('An owl that waits');
    expect(refused).toBe(1);
    await close();
  });

  it('a request that was begun is there again after a visit of another screen, and not for another key', async () => {
    const { page, close } = await open();
    await page.getByLabel('Prompt').fill('A long prompt that is typed once');
    await page.getByRole('button', { name: 'More images' }).click();
    await page.getByRole('link', { name: 'Gallery' }).first().click();
    await page.getByRole('heading', { name: 'Gallery', level: 1 }).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Generate 2 images' }).waitFor();
    expect(await page.getByLabel('Prompt').inputValue()).toBe('A long prompt that is typed once');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').fill(testKeys.other);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Generate 1 image' }).waitFor();
    expect(await page.getByLabel('Prompt').inputValue()).toBe('');
    await close();
  });

  it('keys that submit the form twice create one job, and none while the button is disabled', async () => {
    const { page, close } = await open();
    const submitted = async (prompt: string) => {
      const { body } = await service.acme.get('/images').query({ limit: 100 }).expect(200);
      return body.data.filter((job: { request: { prompt: string } }) => job.request.prompt === prompt).length;
    };
    await page.getByLabel('Prompt').fill('A crane that is made once');
    await page
      .locator('.cost-amount')
      .getByText(/^\$0\.\d{4}$/)
      .waitFor();
    await page.evaluate(`(async () => {
      const init = { key: 'Enter', ctrlKey: true, bubbles: true };
      const press = () => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', init));
      press();
      press();
      while (!location.search.includes('job=')) await new Promise(requestAnimationFrame);
      press();
    })()`);
    await ended(page);
    expect(await submitted('A crane that is made once')).toBe(1);
    await page.getByLabel('Prompt').fill('A crane above its limit');
    await page.getByText('Advanced').click();
    await page.getByLabel('Cost limit in USD').fill('much');
    await page.keyboard.press('Control+Enter');
    await page.getByLabel('Cost limit in USD').fill('');
    await page.locator('[data-loading=false] .cost-amount').waitFor();
    expect(await submitted('A crane above its limit')).toBe(0);
    await close();
  });

  it('a cost limit that is no amount blocks the request, because it would limit nothing', async () => {
    const { page, close } = await open();
    await page.getByLabel('Prompt').fill('A fox');
    await page.getByText('Advanced').click();
    await page.getByLabel('Cost limit in USD').fill('0,10');
    await page.locator('#generate-reason').getByText('The cost limit must be an amount').waitFor();
    expect(await page.getByRole('button', { name: 'Generate 1 image' }).isDisabled()).toBe(true);
    await page.getByLabel('Cost limit in USD').fill('0.10');
    await page.locator('#generate-reason').waitFor({ state: 'detached' });
    await close();
  });

  it('after a lost connection the old cost counts as loading until the new one has arrived', async () => {
    const { page, close } = await open();
    const amount = page.locator('.cost-amount');
    await page.getByLabel('Prompt').fill('A fox');
    await amount.getByText(/^\$0\.\d{4}$/).waitFor();
    const before = await amount.textContent();
    await page.route('**/images?dry_run=true', (route) => route.abort('connectionreset'));
    const lost = page.waitForEvent('requestfailed');
    await page.getByRole('button', { name: 'More images' }).click();
    await lost;
    await page
      .locator('[data-loading=true]')
      .getByText(before ?? '')
      .waitFor();
    await page.unroute('**/images?dry_run=true');
    await page.locator('[data-loading=false] .cost-amount').waitFor();
    expect(await amount.textContent()).not.toBe(before);
    await close();
  });

  it('a value that another model does not allow is reset and named', async () => {
    const { page, close } = await open();
    await page.getByRole('radio', { name: 'X-high' }).check();
    await page.getByRole('combobox', { name: 'Model', exact: true }).selectOption('gpt-image-2');
    await page.getByText('The model does not allow the values of quality. They were reset.').waitFor();
    await close();
  });

  it('the request of the form is shown as curl, TypeScript, Python and JSON', async () => {
    const { page, close } = await open();
    await page.getByLabel('Prompt').fill("A fox's den");
    const code = page.locator('#code-panel');
    await code.getByText(String.raw`A fox'\''s den`).waitFor();
    await page.getByRole('tab', { name: 'TypeScript' }).click();
    await code.getByText('darkroom.generate(').waitFor();
    await page.getByRole('tab', { name: 'TypeScript' }).press('ArrowRight');
    await code.getByText('from darkroom import Darkroom').waitFor();
    await page.getByRole('tab', { name: 'JSON' }).click();
    expect(JSON.parse((await code.textContent()) ?? '')).toEqual({ prompt: "A fox's den" });
    await close();
  });
});
