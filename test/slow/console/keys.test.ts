import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCaller } from '../../support/caller.ts';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { type ManagedKeys, manageKeysOf } from '../../support/managed-keys.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

// A browser needs seconds to start, on a busy machine many seconds.
vi.setConfig({ testTimeout: 120_000 });

let service: TestService;
let browser: ConsoleBrowser;
let keys: ManagedKeys;
beforeAll(async () => {
  if (!hasChromium) return;
  service = await startService();
  browser = await openConsole(service.url);
  keys = manageKeysOf(service.url);
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
});

const request = { prompt: 'A small owl', quality: 'low' };

describe.skipIf(!hasChromium)('the keys of the console in Chromium', () => {
  it('a key is created with a budget, which is enforced and raised by an override until that is ended', async () => {
    const { key } = await keys.create({ tenant: 'shop', name: 'manager', scopes: ['admin'] });
    const { page, faults, violations, close } = await browser.open('/keys', { key });
    await page.getByRole('button', { name: 'Create key' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByLabel('Name').fill('reader-app');
    await drawer.getByLabel('Budget (USD)').fill('0.0001');
    await drawer.getByText('may spend $0.0001 a day').waitFor();
    expect(await violations()).toEqual([]);
    await drawer.getByRole('button', { name: 'Create key' }).click();
    const newKey = page.getByRole('region', { name: 'New API key' });
    const text = (await newKey.textContent()) ?? '';
    expect(text).toMatch(/^dkr_/);
    expect(await violations()).toEqual([]);
    // No other response contains the text, so it stays on every screen until the user has put it away.
    await page.keyboard.press('Escape');
    await page.evaluate(
      `history.pushState(null, '', '/console/usage'); dispatchEvent(new Event('popstate'))`,
    );
    await page.getByRole('heading', { name: 'Usage', level: 1, includeHidden: true }).waitFor();
    expect(await newKey.textContent()).toBe(text);
    await page.goBack();
    await page.getByRole('button', { name: 'Done' }).click();
    expect(await newKey.count()).toBe(0);

    const caller = createCaller(service.url, text);
    const { body: refused } = await caller.post('/images').send(request).expect(402);
    expect(refused).toMatchObject({ code: 'budget_exceeded', budget: { limit_micro_usd: 100 } });

    const inspector = page.getByRole('complementary', { name: 'Key reader-app' });
    await inspector.getByLabel('Amount (USD)').fill('1');
    await inspector.getByRole('button', { name: 'Add override' }).click();
    await page.getByText('The budget is raised.').waitFor();
    // The raise takes effect within a second.
    const job = await vi.waitFor(() => caller.generate(request), { timeout: 20_000, interval: 200 });
    expect(job.status).toBe('succeeded');
    await inspector.getByText(/spent \$0\.0\d*[1-9]/).waitFor();
    await inspector
      .getByRole('img', { name: /^Day: spent \$0\.0\d*[1-9]\d*, held \$0\.00, limit \$1\.00/ })
      .waitFor();
    await inspector.getByText(/^Every budget: \$1\.00 more until /).waitFor();
    expect(await violations()).toEqual([]);
    await inspector.getByRole('button', { name: 'End all raises' }).click();
    await page.getByText('The raises have ended.').waitFor();
    await inspector.getByText(/more until/).waitFor({ state: 'detached' });

    expect(faults).toEqual([]);
    await close();
  });

  it('no key is selected at first, a click anywhere on a row opens it, and its name is a link', async () => {
    const { key } = await keys.create({ tenant: 'rows', name: 'manager', scopes: ['admin'] });
    const other = await keys.create({ tenant: 'rows', name: 'row-worker' });
    const { page, violations, close } = await browser.open('/keys', { key });
    const row = page.getByRole('row', { name: /^row-worker / });
    await row.waitFor();
    await page.getByText('Select a key to see').waitFor();
    expect(await page.getByRole('button', { name: 'Revoke' }).count()).toBe(0);
    expect(await violations()).toEqual([]);
    await row.getByText('no budget').click();
    await page.getByRole('complementary', { name: 'Key row-worker' }).waitFor();
    expect(page.url()).toContain(`key=${other.id}`);
    const link = page.getByRole('link', { name: 'manager' });
    expect(await link.getAttribute('href')).toMatch(/^\/console\/keys\?key=key_/);
    await link.click();
    await page.getByRole('complementary', { name: 'Key manager' }).waitFor();
    await close();
  });

  it('a creation whose response a proxy replaced is repeated with the same key, and makes one API key, whose text is shown', async () => {
    const { key } = await keys.create({ tenant: 'proxied', name: 'manager', scopes: ['admin'] });
    const { page, close } = await browser.open('/keys', { key });
    let replaced = 0;
    await page.route('**/keys', async (route) => {
      if (route.request().method() !== 'POST' || replaced > 0) return route.continue();
      replaced += 1;
      await route.fetch();
      return route.fulfill({ status: 504, contentType: 'text/html', body: 'Gateway Timeout' });
    });
    await page.getByRole('button', { name: 'Create key' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByLabel('Name').fill('made-once');
    await drawer.getByRole('button', { name: 'Create key' }).click();
    await drawer.getByRole('alert').getByText('504').last().waitFor();
    await drawer.getByRole('button', { name: 'Create key' }).click();
    // The lost response contained the first text, so another text replaced it.
    const text = (await page.getByRole('region', { name: 'New API key' }).textContent()) ?? '';
    expect((await createCaller(service.url, text).get('/keys/self').expect(200)).body.name).toBe('made-once');
    const { body } = await createCaller(service.url, key).get('/keys').expect(200);
    const names: string[] = body.data.map(({ name }: { name: string }) => name);
    expect(names.sort()).toEqual(['made-once', 'manager']);
    await close();
  });

  it('a key is rotated, and revoked once its name is typed', async () => {
    const { key } = await keys.create({ tenant: 'books', name: 'manager', scopes: ['admin'] });
    const old = await keys.create({ tenant: 'books', name: 'legacy-import' });
    const { page, faults, violations, close } = await browser.open(`/keys?key=${old.id}`, { key });
    const inspector = page.getByRole('complementary', { name: 'Key legacy-import' });
    await inspector.getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    const newText = (await page.getByRole('region', { name: 'New API key' }).textContent()) ?? '';
    expect(newText).not.toBe(old.key);
    await page.getByRole('button', { name: 'Done' }).click();
    const rotated = createCaller(service.url, newText);
    await rotated.get('/keys/self').expect(200);

    await inspector.getByRole('button', { name: 'Revoke' }).click();
    const revoke = page.getByRole('dialog');
    expect(await revoke.getByRole('button', { name: 'Revoke' }).isDisabled()).toBe(true);
    expect(await violations()).toEqual([]);
    await revoke.getByLabel('Type the name of the key to confirm').fill('legacy-import');
    await revoke.getByRole('button', { name: 'Revoke' }).click();
    await inspector.getByText('Revoked', { exact: true }).waitFor();
    await vi.waitFor(() => rotated.get('/keys/self').expect(401), { timeout: 10_000 });
    await page.getByRole('region', { name: 'Recent changes table' }).getByText('Key revoked').waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('a change of rules and a pause of a key take effect, and wrong fields are named', async () => {
    const { key } = await keys.create({ tenant: 'print', name: 'manager', scopes: ['admin'] });
    const other = await keys.create({ tenant: 'print', name: 'print-worker' });
    const caller = keys.callerOf(other);
    const { page, faults, close } = await browser.open(`/keys?key=${other.id}`, { key });
    const inspector = page.getByRole('complementary', { name: 'Key print-worker' });
    await inspector.getByRole('button', { name: 'Edit' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByLabel('Waiting jobs').fill('none');
    await drawer.getByLabel('Only presets, no free prompts').check();
    await drawer.getByRole('button', { name: 'Save' }).click();
    await drawer.getByText('Type a whole number above 0, or nothing.').waitFor();
    await drawer.locator('[aria-invalid]:focus').waitFor();
    await drawer.getByLabel('Waiting jobs').fill('7');
    await drawer.getByRole('button', { name: 'Save' }).click();
    await inspector.getByText('presets only').waitFor();
    await vi.waitFor(() => caller.post('/images').send(request).expect(403), { timeout: 10_000 });
    expect((await caller.get('/keys/self').expect(200)).body.limits.queued_jobs).toBe(7);

    await inspector.getByRole('button', { name: 'Disable' }).click();
    await inspector.getByText('Disabled', { exact: true }).waitFor();
    await vi.waitFor(() => caller.get('/keys/self').expect(401), { timeout: 10_000 });
    await inspector.getByRole('button', { name: 'Enable' }).click();
    await vi.waitFor(() => caller.get('/keys/self').expect(200), { timeout: 10_000 });
    expect(faults).toEqual([]);
    await close();
  });

  it('a key without the scope admin sees only itself', async () => {
    const budgets = [{ window: 'month', limit_micro_usd: 5_000_000 }];
    const { key, id } = await keys.create({ tenant: 'small', name: 'agent', budgets });
    const { page, faults, violations, close } = await browser.open('/keys', { key, width: 390, height: 844 });
    await page.getByRole('heading', { name: 'Your key' }).waitFor();
    await page.getByText(id).first().waitFor();
    await page.getByRole('img', { name: 'Month: spent $0.00, held $0.00, limit $5.00' }).waitFor();
    expect(await page.getByRole('button', { name: 'Create key' }).count()).toBe(0);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(await violations()).toEqual([]);
    expect(faults).toEqual([]);
    await close();
  });

  it('the operator sees the keys of all tenants, and changes and suspends one of them', async () => {
    const { id } = await keys.create({ tenant: 'late-payer', name: 'their-key' });
    const { page, faults, violations, close } = await browser.open('/keys', { key: testKeys.admin });
    await page.getByText(id).first().waitFor();
    await page.getByLabel('Tenant', { exact: true }).selectOption('late-payer');
    await page.getByRole('heading', { name: 'Tenant late-payer' }).waitFor();
    expect(new URL(page.url()).searchParams.get('tenant')).toBe('late-payer');
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: 'Change rules' }).click();
    await page.getByRole('button', { name: 'Add a budget' }).click();
    await page.getByLabel('Budget (USD)').fill('50');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('$50.00').waitFor();
    await page.getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    await page.getByText('Suspended', { exact: true }).waitFor();
    const { body } = await keys.operator.get('/tenants/late-payer').expect(200);
    expect(body).toMatchObject({
      suspended: true,
      budgets: [{ window: 'day', limit_micro_usd: 50_000_000 }],
    });
    expect(faults).toEqual([]);
    await close();
  });
});
