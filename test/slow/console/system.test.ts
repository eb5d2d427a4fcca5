import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

describe.skipIf(!hasChromium)('the system screen in Chromium', () => {
  let redis: TestRedis;
  let service: TestService;
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    redis = await startTestRedis();
    service = await startService({ REDIS_URL: redis.url });
    browser = await openConsole(service.url);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
    await redis?.stop();
  });

  it('says that all systems work, and shows every part without accessibility faults', async () => {
    const { page, faults, violations, close } = await browser.open('/system', { key: testKeys.admin });
    await page.getByText('All systems work.').waitFor({ timeout: 20_000 });
    for (const part of [
      'Queue',
      'Workers',
      'Circuit breakers',
      'Spool',
      'Redis',
      'Storage',
      'Webhooks',
      'Versions',
    ]) {
      await page.getByRole('heading', { name: part, exact: true }).waitFor();
    }
    await page.getByText(process.version).first().waitFor();
    expect(await violations()).toEqual([]);
    expect(faults).toEqual([]);
    await close();
  });

  it('closes an open circuit breaker after a confirmation', async () => {
    await service.acme.generate({ prompt: 'No credit [studio:quota]' });
    const { page, faults, violations, close } = await browser.open('/system', { key: testKeys.admin });
    await page.getByText('openai:account', { exact: true }).waitFor();
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: 'Close breaker' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close breaker' }).click();
    await page.getByText('The circuit breaker of openai:account is closed.').waitFor();
    await page.getByText('No circuit breaker is open. All scopes take calls.').waitFor();
    expect((await service.acme.generate({ prompt: 'Credit again' })).status).toBe('succeeded');
    expect(faults).toEqual([]);
    await close();
  });

  it('names the key that is missing for other keys, and shows no link to the screen', async () => {
    const { page, close } = await browser.open('/system', { key: testKeys.acme });
    await page.getByText('ADMIN_KEY').waitFor();
    expect(await page.getByRole('link', { name: 'System' }).count()).toBe(0);
    await close();
  });

  it('shows a broken dependency first, and the parts that can still be read', async () => {
    const { page, violations, close } = await browser.open('/system', { key: testKeys.admin });
    await page.getByText('All systems work.').waitFor({ timeout: 20_000 });
    await redis.kill9();
    const redisCard = page.locator('section', {
      has: page.getByRole('heading', { name: 'Redis', exact: true }),
    });
    await redisCard.getByText('Down').waitFor({ timeout: 20_000 });
    await page.locator('.note[data-tone=danger]').getByText('Redis.').waitFor();
    const storage = page.locator('section', {
      has: page.getByRole('heading', { name: 'Storage', exact: true }),
    });
    await storage.getByText('Works').waitFor();
    expect(await violations()).toEqual([]);
    await redis.restart();
    await page.getByText('All systems work.').waitFor({ timeout: 30_000 });
    await close();
  });
});
