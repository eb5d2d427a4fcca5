import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleConsole } from '../../../console/bundle.ts';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const maxGzippedBytes = 100_000;

describe('the files of the console', () => {
  it('all JavaScript of the console has at most 100 kB when compressed', async () => {
    const files = [...(await bundleConsole())].filter(([path]) => path.endsWith('.js'));
    const sum = files.reduce((bytes, [, content]) => bytes + gzipSync(content).byteLength, 0);
    expect(sum).toBeGreaterThan(5_000);
    expect(sum).toBeLessThanOrEqual(maxGzippedBytes);
  });

  it('the page allows no inline code, and images only of this service', async () => {
    const response = await fetch(`${service.url}/console/playground`);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(response.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    const html = await response.text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+="|\{\{/);
  });

  it('the assets of the page are compressed and cached without end, and unknown ones are not found', async () => {
    const html = await (await fetch(`${service.url}/console`)).text();
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path);
    expect(assets.length).toBeGreaterThan(3);
    for (const path of assets) {
      const asset = await fetch(`${service.url}${path}`, { headers: { 'accept-encoding': 'gzip' } });
      expect(asset.status).toBe(200);
      expect(asset.headers.get('cache-control')).toContain('immutable');
      expect(asset.headers.get('content-encoding')).toBe('gzip');
    }
    expect((await fetch(`${service.url}/console/assets/old-00000000.js`)).status).toBe(404);
  });

  it('a service without dev has no sign-in link', async () => {
    const response = await fetch(`${service.url}/console/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: 'guessed' }),
    });
    expect(response.status).toBe(401);
  });
});

describe.skipIf(!hasChromium)('the frame of the console in Chromium', () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await openConsole(service.url);
  });
  afterAll(() => browser?.close());

  it('a wrong key is refused with its code, and the right key opens the requested screen', async () => {
    const { page, faults, violations, close } = await browser.openSignedOut('/nothing-here');
    const key = page.getByLabel('API key');
    await key.fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('unauthorized').waitFor();
    expect(await violations()).toEqual([]);
    await key.fill(testKeys.acme);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'No such screen', level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/console/nothing-here');
    expect(await violations()).toEqual([]);
    expect(faults).toEqual([]);
    await page.reload();
    await page.getByRole('heading', { name: 'No such screen', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await key.waitFor();
    await close();
  });

  it('the language and the theme change at once and stay after a reload', async () => {
    const { page, close } = await browser.open('/nothing-here', { key: testKeys.acme });
    await page.getByRole('button', { name: 'Language: English' }).click();
    await page.getByRole('heading', { name: '没有此页面', level: 1 }).waitFor();
    await page.getByRole('button', { name: '主题：跟随系统' }).click();
    await page.getByRole('button', { name: '主题：浅色' }).click();
    await page.reload();
    await page.getByRole('heading', { name: '没有此页面', level: 1 }).waitFor();
    const root = page.locator('html');
    expect(await root.getAttribute('lang')).toBe('zh-Hans');
    expect(await root.getAttribute('data-theme')).toBe('dark');
    await close();
  });
});
