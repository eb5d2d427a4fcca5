import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium, newPage } from '../support/chromium.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

describe('the address / of the service', () => {
  it('the root redirects a browser to the console and is not found for other clients', async () => {
    const browser = { headers: { accept: 'text/html,application/xhtml+xml' }, redirect: 'manual' as const };
    const redirect = await fetch(`${service.url}/`, browser);
    expect(redirect.status).toBe(302);
    expect(redirect.headers.get('location')).toBe('/console');
    const other = await fetch(`${service.url}/`);
    expect(other.status).toBe(404);
    expect(await other.json()).toMatchObject({ code: 'not_found' });
  });
});

describe.skipIf(!hasChromium)('the API reference in Chromium', () => {
  let browser: Browser;
  let page: Page;
  /** Messages of the console and requests to other origins, which would both be faults. */
  const faults: string[] = [];
  /** Requests that have no complete response yet, and failed ones with their reason. */
  const unfinished = new Map<string, string>();

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    faults.length = 0;
    unfinished.clear();
    page = await newPage(browser, { viewport: { width: 1280, height: 1600 } });
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('request', (request) => {
      const isOurs = /^(blob|data):/.test(request.url()) || request.url().startsWith(service.url);
      if (!isOurs) faults.push(`request to ${request.url()}`);
      unfinished.set(request.url(), 'pending');
    });
    page.on('requestfinished', (request) => unfinished.delete(request.url()));
    page.on('requestfailed', (request) => {
      unfinished.set(request.url(), request.failure()?.errorText ?? 'failed');
    });
    await page.goto(`${service.url}/docs/api`);
    await operationsShown();
  });
  afterEach(() => page.close());

  /** Waits for the list of operations. Throws with what the page shows and lacks instead. */
  async function operationsShown(): Promise<void> {
    try {
      await page.locator('.opblock').first().waitFor();
    } catch (cause) {
      const shown = await page.locator('body').innerText();
      const state = JSON.stringify({ shown: shown.slice(0, 500), faults, unfinished: [...unfinished] });
      throw new Error(`The page shows no operations: ${state}`, { cause });
    }
  }

  async function authorize(): Promise<void> {
    await page.getByRole('button', { name: 'Authorize' }).click();
    await page.locator('.auth-container input').fill(testKeys.acme);
    await page.locator('.auth-btn-wrapper button.authorize').click();
    await page.locator('.auth-btn-wrapper .btn-done').click();
  }

  /** Opens an operation, applies changes to its form and sends it. Returns the request and the response. */
  async function tryOut(operationId: string, change: () => Promise<void> = async () => {}) {
    const block = page.locator(`[id$="-${operationId}"].opblock`);
    await block.locator('.opblock-summary-control').click();
    await block.getByRole('button', { name: 'Try it out' }).click();
    await change();
    const arrival = page.waitForResponse((response) => response.request().resourceType() === 'fetch');
    await block.getByRole('button', { name: 'Execute' }).click();
    const response = await arrival;
    return { block, request: response.request(), response };
  }

  it('the page shows Darkroom without foreign branding and requests nothing from other origins', async () => {
    expect(await page.title()).toBe('Darkroom API');
    expect(await page.locator('.topbar').isVisible()).toBe(false);
    expect(await page.getByRole('heading', { name: /Darkroom/ }).isVisible()).toBe(true);
    expect(await page.getByText(/swagger|smartbear/i).count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('an untouched list request has no filters and returns the jobs of the key', async () => {
    const job = await service.acme.submit({ prompt: 'A job in the list' });
    await authorize();
    const { request, response } = await tryOut('listJobs');
    expect(new URL(request.url()).search).toBe('');
    const { data } = await response.json();
    expect(data.map(({ id }: { id: string }) => id)).toContain(job.id);
  });

  it('an untouched submission sends no idempotency key, so each click creates a job', async () => {
    await authorize();
    const { request, response } = await tryOut('submitJob');
    expect(await request.headerValue('idempotency-key')).toBeNull();
    expect(response.headers()['idempotent-replayed']).toBeUndefined();
    expect(await response.json()).toMatchObject({ object: 'image_job' });
    expect(faults).toEqual([]);
  });

  it('the page leaves no API key in the storage of the browser', async () => {
    await authorize();
    const { response } = await tryOut('listModels');
    expect(response.status()).toBe(200);
    const stored = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
    expect(stored).not.toContain(testKeys.acme);
  });

  it('the page shows the image of a finished job', async () => {
    const { id } = await service.acme.submit({ prompt: 'A fox', size: '1024x1024' });
    await service.acme.ended(id);
    await authorize();
    const { block } = await tryOut('getImageContent', async () => {
      await page.getByPlaceholder('id', { exact: true }).fill(id);
      await page.getByPlaceholder('index', { exact: true }).fill('0');
    });
    const image = block.locator('.response-col_description img').first();
    await image.waitFor();
    const width = await image.evaluate(
      (element) => (element as unknown as { naturalWidth: number }).naturalWidth,
    );
    expect(width).toBe(1024);
    expect(faults).toEqual([]);
  });
});
