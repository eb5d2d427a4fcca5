import { describe, expect, it } from 'vitest';
import { hasChromium } from '../../support/console.ts';
import { consoleService } from '../../support/console-service.ts';
import { testKeys } from '../../support/service-environment.ts';

describe.skipIf(!hasChromium)('the inputs of the playground in Chromium', () => {
  const started = consoleService();

  const open = () => started.browser.open('/playground', { key: testKeys.acme });

  it('files beyond the limit of inputs are named as left out', async () => {
    const { page, violations, close } = await open();
    const files = Array.from({ length: 18 }, (_, i) => ({
      name: `${i}.png`,
      mimeType: 'image/png',
      buffer: Buffer.from('an image'),
    }));
    await page.route('**/uploads', (route) => route.fulfill({ json: { id: 'upl_1' } }));
    await page.locator('input[type=file]').setInputFiles(files);
    await page.getByText('An edit has at most 16 inputs. 2 files were left out.').waitFor();
    expect(await page.locator('.input-thumb').count()).toBe(16);
    expect(await violations()).toEqual([]);
    await close();
  });

  it('a file that is dropped beside its field becomes an input, and on other screens nothing', async () => {
    const { page, close } = await open();
    /** Drops a file on an element. Returns whether the browser would open it. */
    const drop = (selector: string) =>
      page.evaluate(`(async () => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
        canvas.getContext('2d').fillRect(0, 0, 64, 64);
        const blob = await new Promise((resolve) => canvas.toBlob(resolve));
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([blob], 'dropped.png', { type: 'image/png' }));
        const init = { dataTransfer, bubbles: true, cancelable: true };
        const target = document.querySelector('${selector}');
        return ['dragover', 'drop'].some((type) => target.dispatchEvent(new DragEvent(type, init)));
      })()`);
    await page.getByLabel('Prompt').fill('A fox with an input');
    expect(await drop('textarea')).toBe(false);
    await page.getByRole('button', { name: 'Remove dropped.png' }).waitFor();
    await page.getByRole('link', { name: 'Gallery' }).first().click();
    await page.getByRole('heading', { name: 'Gallery', level: 1 }).waitFor();
    expect(await drop('main')).toBe(false);
    await page.goBack();
    await page.getByRole('button', { name: 'Remove dropped.png' }).waitFor();
    expect(await page.locator('.input-thumb').count()).toBe(1);
    await close();
  });
});
