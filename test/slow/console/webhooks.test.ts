import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCaller } from '../../support/caller.ts';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { manageKeysOf } from '../../support/managed-keys.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';
import { arrived, deliveriesBy, receive, register } from '../../support/webhook-callers.ts';

let service: TestService;
let browser: ConsoleBrowser;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_SCHEDULE_S: '0,3600' });
  if (hasChromium) browser = await openConsole(service.url);
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
});

describe.skipIf(!hasChromium)('the screen of webhooks', () => {
  it('without endpoints registers the first one, shows its secret once and tests it', async () => {
    const receiver = await receive(() => 200, 'hello from the receiver');
    const { page, faults, violations, close } = await browser.open('/webhooks', { key: testKeys.other });
    await page.getByRole('heading', { name: 'No endpoints yet' }).waitFor();
    await page.getByText('webhook.verify(body, request.headers)').waitFor();
    expect(await violations()).toEqual([]);

    const address = page.getByLabel('Address');
    await address.fill('https://user:password@example.com/hook');
    await page.getByRole('button', { name: 'Add endpoint' }).click();
    await page.locator('.field-error').waitFor();
    await address.fill(receiver.url);
    await page.getByRole('button', { name: 'Add endpoint' }).click();
    const secret = page.getByRole('region', { name: 'Signing secret' });
    expect(await secret.textContent()).toMatch(/^whsec_/);
    expect(await violations()).toEqual([]);
    // No other response contains the secret, so no slip of a finger may close the dialog.
    for (let press = 0; press < 6; press += 1) await page.keyboard.press('Escape');
    await secret.waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    expect(await page.content()).not.toContain('whsec_');

    await page.getByRole('button', { name: 'Test' }).click();
    await page.getByText('The endpoint responded with success.').waitFor();
    await page.getByText('hello from the receiver').waitFor();
    expect(receiver.requests).toHaveLength(1);
    expect(await violations()).toEqual([]);
    expect(faults).toEqual([]);
    await close();
  });

  it('repeats a registration whose response was lost, which registers one endpoint and shows its secret', async () => {
    const { key } = await manageKeysOf(service.url).create({ tenant: 'once', scopes: ['webhooks', 'admin'] });
    const receiver = await receive();
    const { page, close } = await browser.open('/webhooks', { key });
    let lost = 0;
    await page.route('**/webhooks/endpoints', async (route) => {
      if (route.request().method() !== 'POST' || lost > 0) return route.continue();
      lost += 1;
      await route.fetch();
      return route.abort('connectionreset');
    });
    await page.getByLabel('Address').fill(receiver.url);
    await page.getByRole('button', { name: 'Add endpoint' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByRole('button', { name: 'Add endpoint' }).click();
    const secret = (await page.getByRole('region', { name: 'Signing secret' }).textContent()) ?? '';
    const caller = createCaller(service.url, key);
    const { data } = (await caller.get('/webhooks/endpoints').expect(200)).body;
    expect(data).toHaveLength(1);
    await caller.post(`/webhooks/endpoints/${data[0].id}/test`).expect(200);
    const [request] = receiver.requests;
    new Webhook(secret).verify(request?.body ?? '', request?.headers as Record<string, string>);
    await close();
  });

  it('shows why a delivery failed, and sends it again after the endpoint was repaired', async () => {
    let isBroken = true;
    const receiver = await receive(() => (isBroken ? 500 : 200), 'the database is locked <b>here</b>');
    const { id } = await register(service, { url: receiver.url, events: ['image.succeeded'] });
    const job = await service.acme.generate({ prompt: 'A fox for a failing endpoint' });
    await arrived(receiver.requests, 1);

    const { page, faults, violations, close } = await browser.open('/webhooks', { key: testKeys.acme });
    await page.locator('tbody').getByText('Retrying').first().waitFor();
    await page.getByRole('link', { name: 'image.succeeded' }).click();
    const panel = page.getByRole('complementary', { name: 'Delivery' });
    await panel.getByText('1 · 500').waitFor();
    await panel.getByText('the database is locked <b>here</b>').waitFor();
    await panel.getByText('Next attempt').first().waitFor();
    expect(new URL(page.url()).searchParams.get('delivery')).toMatch(/^dlv_/);
    expect(await violations()).toEqual([]);

    isBroken = false;
    await panel.getByRole('button', { name: 'Redeliver now' }).click();
    await panel.getByText('Delivered').waitFor();
    await panel.getByText('2 · 200').waitFor();
    const [delivery] = await deliveriesBy(service, `image_id=${job.id}`);
    expect(delivery).toMatchObject({ status: 'delivered', attempt_count: 2, endpoint_id: id });
    await page.getByRole('row', { name: /Delivered image.succeeded/ }).waitFor();

    await page.goBack();
    await panel.waitFor({ state: 'detached' });
    expect(faults).toEqual([]);
    await close();
  });

  it('loads older deliveries on request, and new ones push none of them out', async () => {
    const endpointServer = await receive();
    const { id } = await register(service, { url: endpointServer.url });
    const count = async () => (await deliveriesBy(service, `endpoint_id=${id}&limit=100`)).length;
    const generate = (no: number) => service.acme.generate({ prompt: `Fox ${no}`, quality: 'low' });
    await Promise.all(Array.from({ length: 12 }, (_, i) => generate(i)));
    await expect.poll(count, { timeout: 15_000 }).toBeGreaterThan(25);

    const { page, faults, close } = await browser.open(`/webhooks?endpoint=${id}`, { key: testKeys.acme });
    const rows = page.getByRole('region', { name: 'Deliveries table' }).locator('tbody tr');
    await expect.poll(() => rows.count(), { timeout: 15_000 }).toBe(25);
    await page.getByRole('button', { name: 'Load more' }).click();
    await page.getByText('No older deliveries').waitFor();
    await expect.poll(() => rows.count(), { timeout: 15_000 }).toBe(await count());
    const before = await count();
    await generate(12);
    await expect.poll(count, { timeout: 15_000 }).toBeGreaterThan(before);
    await expect.poll(async () => (await rows.count()) - (await count()), { timeout: 30_000 }).toBe(0);
    // Another filter starts with one page.
    await page.getByRole('combobox', { name: 'Status' }).selectOption('delivered');
    await expect.poll(() => rows.count(), { timeout: 15_000 }).toBe(25);
    await page.getByRole('button', { name: 'Load more' }).waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('lists the deliveries of one job alone, as the job screen links to them', async () => {
    const endpointServer = await receive();
    await register(service, { url: endpointServer.url, events: ['image.succeeded'] });
    const [one, other] = await Promise.all(
      ['One heron', 'Another heron'].map((prompt) => service.acme.generate({ prompt, quality: 'low' })),
    );
    await arrived(endpointServer.requests, 2);

    const { page, faults, violations, close } = await browser.open(`/jobs/${one?.id}`, {
      key: testKeys.acme,
    });
    await page.getByRole('link', { name: 'All deliveries of this job' }).click();
    const rows = page.getByRole('region', { name: 'Deliveries table' }).locator('tbody tr');
    await expect.poll(() => rows.count(), { timeout: 15_000 }).toBe(1);
    await rows.getByTitle(one?.id ?? 'missing').waitFor();
    expect(new URL(page.url()).searchParams.get('job')).toBe(one?.id);
    expect(await violations()).toEqual([]);

    // A click anywhere on a row opens it.
    await rows.locator('td').last().click();
    await page.getByRole('complementary', { name: 'Delivery' }).waitFor();
    await page.getByRole('button', { name: /^Job / }).click();
    await page.getByTitle(other?.id ?? 'missing').waitFor();
    await page.goBack();
    await expect.poll(() => rows.count(), { timeout: 15_000 }).toBe(1);
    await page.getByRole('combobox', { name: 'Status' }).selectOption('failed');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByTitle(other?.id ?? 'missing').waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('recovers, changes, rotates, disables, enables and removes an endpoint', async () => {
    let isBroken = true;
    const receiver = await receive(() => (isBroken ? 404 : 204));
    const { id } = await register(service, { url: receiver.url, events: ['image.failed'] });
    await service.acme.generate({ prompt: 'Refused [studio:moderation]' }).catch(() => undefined);
    await arrived(receiver.requests, 1);
    await service.acme.patch(`/webhooks/endpoints/${id}`).send({ disabled: true }).expect(200);

    const { page, faults, violations, close } = await browser.open(`/webhooks?endpoint=${id}`, {
      key: testKeys.acme,
    });
    const panel = page.getByRole('complementary', { name: 'Endpoint' });
    const dialog = page.getByRole('dialog');
    const read = async () => (await service.acme.get(`/webhooks/endpoints/${id}`).expect(200)).body;
    await panel.getByRole('button', { name: 'Enable' }).click();
    await panel.getByRole('button', { name: 'Recover' }).waitFor();
    isBroken = false;
    await panel.getByRole('button', { name: 'Recover' }).click();
    expect(await violations()).toEqual([]);
    await dialog.getByRole('button', { name: 'Recover' }).click();
    await page.getByText('1 delivery is sent again.').waitFor();
    await arrived(receiver.requests, 2);

    await panel.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel('Description').fill('print shop');
    await dialog.getByLabel('image.succeeded').check();
    expect(await violations()).toEqual([]);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await panel.getByText('print shop').waitFor();
    expect((await read()).events).toEqual(['image.succeeded', 'image.failed']);

    await panel.getByRole('button', { name: 'Rotate secret' }).click();
    await dialog.getByRole('button', { name: 'Rotate' }).click();
    expect(await page.getByRole('region', { name: 'Signing secret' }).textContent()).toMatch(/^whsec_/);
    await dialog.getByText('The earlier secret also signs until').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await panel.getByText('2 secrets sign').waitFor();

    await panel.getByRole('button', { name: 'Disable' }).click();
    await dialog.getByRole('button', { name: 'Disable' }).click();
    await panel.getByText('Its deliveries ended.').waitFor();
    expect(await read()).toMatchObject({ status: 'disabled', disabled_reason: 'requested' });

    await panel.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await panel.waitFor({ state: 'detached' });
    await service.acme.get(`/webhooks/endpoints/${id}`).expect(404);
    expect(faults).toEqual([]);
    await close();
  });

  it('fits narrow windows without a sideways scroll, and is translated', async () => {
    const receiver = await receive(() => 500);
    const { id } = await register(service, { url: receiver.url, events: ['image.succeeded'] });
    await service.acme.generate({ prompt: 'A fox for a narrow window' });
    await arrived(receiver.requests, 1);
    const [delivery] = await deliveriesBy(service, `endpoint_id=${id}`);
    for (const width of [390, 320]) {
      const { page, violations, close } = await browser.open(`/webhooks?delivery=${delivery?.id}`, {
        key: testKeys.acme,
        width,
        language: 'zh-Hans',
      });
      await page.getByRole('button', { name: '立即重新投递' }).waitFor();
      await page.getByRole('heading', { name: '端点' }).waitFor();
      const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      expect(await page.evaluate(overflow)).toBe(0);
      expect(await violations()).toEqual([]);
      await close();
    }
  });
});
