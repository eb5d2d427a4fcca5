import { randomUUID } from 'node:crypto';
import type { Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

describe.skipIf(!hasChromium)('payments of the console in Chromium', () => {
  let redis: TestRedis;
  let service: TestService;
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    redis = await startTestRedis();
    service = await startService({ REDIS_URL: redis.path });
    browser = await openConsole(service.url);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
    await redis?.stop();
  });

  const open = (path = '/playground') => browser.open(path, { key: testKeys.acme });
  const generate = (page: Page) => page.getByRole('button', { name: /^Generate \d/ });
  const amount = (page: Page) => page.locator('[data-loading=false] .cost-amount').getByText(/^\$/);

  /** Returns the jobs of a prompt. */
  async function jobsOf(prompt: string): Promise<{ id: string; request: { n: number; quality: string } }[]> {
    const { body } = await service.acme.get('/images').query({ limit: 100 }).expect(200);
    return body.data.filter((job: { prompt: { original: string } }) => job.prompt.original === prompt);
  }

  /** Calls a function for the first request of each path below `/images` that creates a job. */
  async function onFirstSubmission(
    page: Page,
    act: (route: Route) => Promise<void>,
    later = (route: Route) => route.continue(),
  ): Promise<string[]> {
    const keys: string[] = [];
    await page.route(/\/images(\/[^/?]+\/(retry|variations))?$/, async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      keys.push((await route.request().allHeaders())['idempotency-key'] ?? '');
      return keys.length === 1 ? act(route) : later(route);
    });
    return keys;
  }

  const problem = (code: string) => ({
    contentType: 'application/problem+json',
    body: JSON.stringify({ type: `/docs/errors#${code}`, code, title: 'Not available', retryable: true }),
  });
  const html = { contentType: 'text/html', body: '<h1>Proxy</h1>' };

  it.each([
    ['a 503 of the service without its store', { status: 503, ...problem('store_unavailable') }],
    ['a 500 of the service', { status: 500, ...problem('internal') }],
    ['a 500 of a proxy', { status: 500, ...html }],
    ['a 429 of a proxy', { status: 429, ...html }],
    ['a 502 of a proxy', { status: 502, contentType: 'application/json', body: '{"code":502}' }],
  ])(
    'an accepted request whose response is %s is repeated with its key, and paid once',
    async (name, fake) => {
      const prompt = `Once in spite of ${name}`;
      const { page, close } = await open();
      const keys = await onFirstSubmission(page, async (route) => {
        await route.fetch();
        await route.fulfill(fake);
      });
      await page.getByLabel('Prompt').fill(prompt);
      await generate(page).click();
      await page.waitForURL((url) => url.searchParams.has('job'));
      expect(new Set(keys).size).toBe(1);
      expect(await jobsOf(prompt)).toHaveLength(1);
      await close();
    },
  );

  it('a limit of requests after a lost response does not end the repetition, and the request is paid once', async () => {
    const prompt = 'An owl above its limit';
    const { page, close } = await open();
    const keys: string[] = [];
    await page.route(/\/images$/, async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      keys.push((await route.request().allHeaders())['idempotency-key'] ?? '');
      if (keys.length === 1) {
        await route.fetch();
        return route.abort('connectionreset');
      }
      return keys.length === 2
        ? route.fulfill({ status: 429, headers: { 'retry-after': '1' }, ...problem('too_many_requests') })
        : route.continue();
    });
    await page.getByLabel('Prompt').fill(prompt);
    await generate(page).click();
    await page.waitForURL((url) => url.searchParams.has('job'));
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(await jobsOf(prompt)).toHaveLength(1);
    await close();
  });

  it('the browser asks before a page is left whose request has no known outcome', async () => {
    const { page, close } = await open();
    let isLost = true;
    await page.route(/\/images$/, (route) =>
      isLost && route.request().method() === 'POST' ? route.abort('connectionreset') : route.continue(),
    );
    await page.getByLabel('Prompt').fill('An owl that is left');
    await generate(page).click();
    await page.getByText('The outcome is not known yet.').waitFor();
    const asks = () => page.evaluate("!dispatchEvent(new Event('beforeunload', { cancelable: true }))");
    expect(await asks()).toBe(true);
    isLost = false;
    await page.waitForURL((url) => url.searchParams.has('job'));
    expect(await asks()).toBe(false);
    await close();
  });

  it('a request during a stall of Redis is repeated until its outcome is known, and paid once', async () => {
    const prompt = 'An owl in a stall';
    const { page, violations, close } = await open();
    const keys = await onFirstSubmission(page, (route) => route.continue());
    await page.getByLabel('Prompt').fill(prompt);
    await amount(page).waitFor();
    redis.pause();
    try {
      await generate(page).click();
      await page.getByText('The outcome is not known yet.').waitFor();
      expect(await page.getByText('nothing was charged').count()).toBe(0);
      expect(await violations()).toEqual([]);
    } finally {
      redis.resume();
    }
    await page.waitForURL((url) => url.searchParams.has('job'));
    expect(new Set(keys).size).toBe(1);
    expect(await jobsOf(prompt)).toHaveLength(1);
    await close();
  });

  it('a request continues while another screen is open, and the return shows its job', async () => {
    const prompt = `A stork that is left alone ${randomUUID()}`;
    const { page, close } = await open();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const fail = async (route: Route) => {
      await route.fetch();
      await route.abort('connectionreset');
    };
    // The repetition succeeds only when the other screen is open.
    const keys = await onFirstSubmission(page, fail, (route) => released.then(() => route.continue()));
    await page.getByLabel('Prompt').fill(prompt);
    await generate(page).click();
    await page.getByText('The outcome is not known yet.').waitFor();
    await page.getByRole('link', { name: 'Gallery' }).first().click();
    await page.getByRole('heading', { name: 'Gallery', level: 1 }).waitFor();
    release();
    await page.getByRole('link', { name: 'Playground' }).first().click();
    await page.waitForURL((url) => url.searchParams.has('job'));
    const [job, ...others] = await jobsOf(prompt);
    expect(new URL(page.url()).searchParams.get('job')).toBe(job?.id);
    expect(others).toEqual([]);
    expect(new Set(keys).size).toBe(1);
    await close();
  });

  it.each(['Retry', 'Vary'])('a dialog that is closed during its call makes one job: %s', async (action) => {
    const prompt = `${action} me [studio:${action === 'Retry' ? 'moderation' : 'latency=1'}]`;
    const { id } = await service.acme.generate({ prompt, quality: 'low' });
    const { page, close } = await open(`/jobs/${id}`);
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const keys = await onFirstSubmission(page, async (route) => {
      const response = await route.fetch();
      await released;
      await route.fulfill({ response });
    });
    const opener = page.locator('.topbar').getByRole('button', { name: action });
    const dialog = page.getByRole('dialog');
    const confirm = dialog.getByRole('button', { name: action });
    await opener.click();
    const edited = `${prompt} edited`;
    if (action === 'Vary') await dialog.getByRole('textbox').fill(edited);
    await confirm.click();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await opener.click();
    expect(await confirm.isDisabled()).toBe(true);
    if (action === 'Vary') expect(await dialog.getByRole('textbox').inputValue()).toBe(edited);
    release();
    await page.waitForURL((url) => !url.pathname.endsWith(id));
    expect(keys).toHaveLength(1);
    const { body } = await service.acme.get('/images').query({ parent: id, limit: 100 }).expect(200);
    const children = body.data.filter((job: { parent_id: string | null }) => job.parent_id === id);
    expect(children).toHaveLength(1);
    await close();
  });

  it('a click while the price is fetched never spends more than the amount on the screen', async () => {
    const prompt = 'A fox at the price that is shown';
    const { page, close } = await open();
    await page.getByLabel('Prompt').fill(prompt);
    await page.getByRole('radio', { name: 'Low' }).check();
    await amount(page).waitFor();
    const before = await amount(page).textContent();
    await page.getByRole('radio', { name: 'High', exact: true }).check();
    await generate(page).click();
    await page.waitForFunction(
      `document.querySelector('[data-loading=false] .cost-amount')?.textContent !== ${JSON.stringify(before)}`,
    );
    await page.locator('.form-foot button:not([aria-busy])').waitFor();
    expect(await jobsOf(prompt)).toEqual([]);
    // A price that is not higher needs no second click.
    await page.getByRole('radio', { name: 'Low' }).check();
    await generate(page).click();
    await page.waitForURL((url) => url.searchParams.has('job'));
    expect((await jobsOf(prompt)).map(({ request }) => request.quality)).toEqual(['low']);
    await close();
  });

  it('without a price the button says why it is disabled, and a dialog cannot spend', async () => {
    const { id } = await service.acme.generate({ prompt: 'Blocked [studio:moderation]', quality: 'low' });
    const { page, violations, close } = await open(`/playground?job=${id}`);
    await page.route('**/images?dry_run=true', (route) => route.abort('connectionrefused'));
    await page.getByLabel('Prompt').fill('A fox without a price');
    await page.getByText('The cost cannot be fetched.').waitFor();
    expect(await generate(page).isDisabled()).toBe(true);
    expect(await violations()).toEqual([]);
    await page.getByRole('region', { name: 'Result' }).getByRole('button', { name: 'Retry' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Connection lost.').waitFor();
    expect(await dialog.getByRole('button', { name: 'Retry', exact: true }).isDisabled()).toBe(true);
    await close();
  });

  it('a running job shows what was spent so far, and its upper bound as such', async () => {
    const { id } = await service.acme.submit({ prompt: 'A sloth [studio:latency=600000]', quality: 'low' });
    const { page, close } = await open(`/playground?job=${id}`);
    await page.getByText(/^\$0\.00 of at most \$0\.\d{4}/).waitFor();
    await service.acme.post(`/images/${id}/cancel`).expect(200);
    await close();
  });
});
