import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { manageKeysOf } from '../../support/managed-keys.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';
import { receive, register } from '../../support/webhook-callers.ts';

/** A window of 1440 by 900 pixels, and the same window at a zoom of 200 %. */
const whole = { width: 1440, height: 900 };
const zoomed = { width: 720, height: 450 };
const phone = { width: 360, height: 780 };

const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

const visible = `(each) => each.checkVisibility({ visibilityProperty: true }) && each.getBoundingClientRect().width > 1`;
const nameOf = `(each) => (each.getAttribute('aria-label') ?? each.labels?.[0]?.textContent ?? each.textContent).trim()`;
const actions = (within: string) =>
  `[...document.querySelectorAll(':is(${within}) :is(a[href], button, input, select, textarea, summary)')].filter(${visible})`;

/** Returns the names of the visible actions within elements. */
const actionsIn = (page: Page, within: string): Promise<string[]> =>
  page.evaluate(`${actions(within)}.map(${nameOf})`);

/** Returns the names of visible actions that a click cannot reach, even after scrolling, because something covers them. */
const coveredIn = (page: Page, within: string): Promise<string[]> =>
  page.evaluate(`${actions(within)}.filter((each) => {
    each.scrollIntoView({ block: 'center', inline: 'center' });
    const { left, top, width, height } = each.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    return !each.disabled && ![each, ...(each.labels ?? [])].some((part) => part.contains(hit));
  }).map(${nameOf})`);

describe.skipIf(!hasChromium)('the console at a zoom of 200 % in Chromium', () => {
  let service: TestService;
  let browser: ConsoleBrowser;
  let key: string;
  let jobId: string;
  beforeAll(async () => {
    service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_SCHEDULE_S: '0,3600' });
    browser = await openConsole(service.url);
    const keys = manageKeysOf(service.url);
    const budgets = [{ window: 'day', limit_micro_usd: 5_000_000 }];
    await keys.create({ tenant: 'acme', name: 'a key with a long name for the list', budgets });
    key = (await keys.create({ tenant: 'acme', name: 'manager', scopes: ['admin'] })).key;
    const request = { prompt: 'A zoomed zebra', quality: 'low', n: 2, metadata: { a: 'b' } };
    jobId = (await service.acme.generate(request)).id;
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  /** Checks a screen when a text has appeared. Actions within `area` must not be covered. */
  async function check(path: string, { ready, area = '#content' }: { ready: string; area?: string }) {
    const signedIn = path === '/system' ? testKeys.admin : key;
    const { page, violations, close } = await browser.open(path, { key: signedIn, ...whole });
    await page.getByText(ready).first().waitFor();
    const before = await actionsIn(page, '#content, .topbar');
    await page.setViewportSize(zoomed);
    await page.getByRole('button', { name: 'Account, theme and language' }).waitFor();
    expect(await page.evaluate(overflow)).toBe(0);
    // The way back to the gallery is a tab of the bar below.
    const after = await actionsIn(page, '#content, .topbar, .nav');
    expect(before.filter((name) => !after.includes(name))).toEqual([]);
    expect(await coveredIn(page, area)).toEqual([]);
    expect(await violations()).toEqual([]);
    await page.setViewportSize(phone);
    expect(await page.evaluate(overflow)).toBe(0);
    expect(await coveredIn(page, '.topbar')).toEqual([]);
    await close();
  }

  it.each([
    ['the playground', () => `/playground?job=${jobId}`, { ready: 'Download' }],
    ['the gallery', () => '/gallery', { ready: 'A zoomed zebra' }],
    ['the inspector', () => `/gallery?job=${jobId}`, { ready: 'Open job', area: '.inspector' }],
    ['a job', () => `/jobs/${jobId}`, { ready: 'Raw JSON' }],
    ['the list of keys', () => '/keys', { ready: 'a key with a long name for the list' }],
    ['the usage', () => '/usage', { ready: 'CSV' }],
    ['the system', () => '/system', { ready: 'Versions' }],
  ])('%s has no sideways scroll and hides no action', async (_what, pathOf, options) => {
    await check(pathOf(), options);
  });

  it('the webhooks have no sideways scroll and hide no action', async () => {
    const endpointServer = await receive(() => 500);
    const { id } = await register(service, { url: endpointServer.url });
    await service.acme.generate({ prompt: 'A zoomed zebu', quality: 'low' });
    await expect.poll(() => endpointServer.requests.length, { timeout: 15_000 }).toBeGreaterThan(1);
    await check(`/webhooks?endpoint=${id}`, { ready: 'Rotate secret' });
  });

  it('the account, the theme and the language are in the account dialog', async () => {
    const { page, close } = await browser.open('/gallery', { key, ...whole });
    await page.locator('.sidebar-foot').waitFor();
    const before = await actionsIn(page, '.sidebar-foot');
    await page.setViewportSize(zoomed);
    await page.getByRole('button', { name: 'Account, theme and language' }).click();
    const after = await actionsIn(page, 'dialog');
    expect(before.filter((name) => !after.includes(name))).toEqual([]);
    await close();
  });
});
