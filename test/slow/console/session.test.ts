import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose, type Service } from '../../../src/compose/index.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { createEnvironment, type TestEnvironment, testKeys } from '../../support/service-environment.ts';

describe.skipIf(!hasChromium)('the session of the console in Chromium', () => {
  let environment: TestEnvironment;
  let service: Service;
  let url: string;
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    environment = await createEnvironment();
    const config = loadConfig(environment.env, 'dev');
    service = await compose(config, { log: createLogger({ level: config.LOG_LEVEL, pretty: false }) });
    url = (await service.start()).replace('localhost', config.HOST);
    browser = await openConsole(url);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
    await environment?.remove();
  });

  const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });

  it('a link signs in once, also in a tab that shows the console already, and leaves the address', async () => {
    const { page, faults, close } = await browser.openSignedOut('');
    await heading(page, 'Sign in to Darkroom').waitFor();
    const link = `${url}/console#token=${service.signInToken}`;
    await page.goto(link);
    await heading(page, 'Playground').waitFor();
    expect(page.url()).toBe(`${url}/console/playground`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.goto(link);
    await page.getByText('The sign-in link has expired or was used before.').waitFor();
    expect(page.url()).not.toContain('token');
    expect(faults).toEqual([]);
    await close();
  });

  it('a text that no header can hold is refused in the form, and spaces around a key do not matter', async () => {
    const { page, faults, violations, close } = await browser.openSignedOut('/gallery');
    await page.getByLabel('API key').fill('dkr_密钥');
    await page.getByText('A key has only letters').waitFor();
    expect(await page.getByRole('button', { name: 'Sign in' }).isDisabled()).toBe(true);
    expect(await violations()).toEqual([]);
    await page.getByLabel('API key').fill(`  ${testKeys.acme} `);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await heading(page, 'Gallery').waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('a key that is refused in the middle of the work ends the session and says why', async () => {
    const { page, close } = await browser.open('/gallery?status=failed', { key: testKeys.acme });
    await heading(page, 'Gallery').waitFor();
    await page.route('**/images?*', (route) =>
      route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer revoked' } }),
    );
    await page.getByRole('combobox', { name: 'Status' }).selectOption('canceled');
    await page.getByRole('alert').getByText('unauthorized').waitFor();
    expect(new URL(page.url()).search).toBe('?status=canceled');
    await close();
  });

  it('a reload during an outage leaves the key in the tab, and offers to try again', async () => {
    const { page, violations, close } = await browser.open('/gallery', { key: testKeys.acme });
    await heading(page, 'Gallery').waitFor();
    await page.route('**/keys/self', (route) => route.abort('connectionrefused'));
    await page.reload();
    await page.getByText('Connection lost.').waitFor();
    expect(await violations()).toEqual([]);
    await page.unroute('**/keys/self');
    await page.getByRole('button', { name: 'Retry' }).click();
    await heading(page, 'Gallery').waitFor();
    await close();
  });

  it('a click that asks for a new tab opens one with the same session', async () => {
    const { page, close } = await browser.openSignedOut('/keys');
    await page.getByLabel('API key').fill(testKeys.acme);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await heading(page, 'Keys and budgets').waitFor();
    const opened = page.context().waitForEvent('page');
    await page.getByRole('link', { name: 'Gallery' }).click({ modifiers: ['ControlOrMeta'] });
    const other = await opened;
    await heading(other, 'Gallery').waitFor();
    await heading(page, 'Keys and budgets').waitFor();
    await close();
  });

  it('an id of the address cannot lead to another resource', async () => {
    const { page, close } = await browser.open('/jobs/..%2Fkeys%2Fself', { key: testKeys.acme });
    await heading(page, 'No such screen').or(page.getByText('No such job for this key')).waitFor();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await page.goto(`${url}/console/playground?job=..%2Fwebhooks%2Fendpoints`);
    await page.getByRole('region', { name: 'Result' }).getByText('404').waitFor();
    expect(requests).not.toContain('/webhooks/endpoints/');
    expect(requests.filter((path) => path === '/webhooks/endpoints')).toHaveLength(1);
    await close();
  });

  it('a screen that cannot show its data leaves the others within reach', async () => {
    const { page, violations, close } = await browser.open('/playground', { key: testKeys.acme });
    await page.route('**/images?*', (route) =>
      route.fulfill({
        json: { object: 'list', data: [{ id: randomBytes(4).toString('hex') }], next_cursor: null },
      }),
    );
    await page.getByRole('link', { name: 'Gallery' }).first().click();
    await heading(page, 'This screen could not be loaded').waitFor();
    expect(await violations()).toEqual([]);
    await page.getByRole('link', { name: 'Webhooks' }).click();
    await heading(page, 'Webhooks').waitFor();
    await close();
  });
});
