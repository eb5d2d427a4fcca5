import { readFile } from 'node:fs/promises';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UsageRow } from '../../../src/inbound/http/schemas/usage.ts';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

describe.skipIf(!hasChromium)('the usage screen in Chromium', () => {
  let service: TestService;
  let browser: ConsoleBrowser;
  let rows: UsageRow[];
  beforeAll(async () => {
    service = await startService({ USAGE_METADATA_KEYS: 'campaign' });
    const model = (name: string) => ({ model: name, quality: 'low', size: '1024x1024' });
    await service.acme.generate({ prompt: 'A', ...model('gpt-image-2'), metadata: { campaign: 'spring' } });
    await service.acme.generate({ prompt: 'B', ...model('gpt-image-2') });
    await service.acme.generate({ prompt: 'C', ...model('gpt-image-2.6-flare') });
    await service.acme.generate({
      prompt: 'D [studio:hang-up]',
      ...model('gpt-image-2'),
      on_uncertain: 'fail',
    });
    const response = await supertest(service.url)
      .get('/usage?tenant=acme&group_by=model')
      .set('authorization', `Bearer ${testKeys.admin}`);
    rows = response.body.data;
    browser = await openConsole(service.url);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  const dollars = (microUsd: number) =>
    `$${(microUsd / 1e6).toFixed(microUsd === 0 || microUsd >= 1e6 ? 2 : 4)}`;

  it('the chart and the table show what the API says, by model', async () => {
    const { page, faults, violations, close } = await browser.open('/usage?tenant=acme', {
      key: testKeys.admin,
    });
    const table = page.getByRole('table');
    for (const row of rows) {
      const line = table.getByRole('row').filter({ has: page.getByText(row.model ?? '', { exact: true }) });
      await line.waitFor();
      const cells = await line.getByRole('cell').allTextContents();
      expect(cells.slice(1)).toEqual([
        ...[row.jobs, row.images, row.failed].map(String),
        ...[dollars(row.micro_usd_possible), String(row.unknown_cost_jobs), dollars(row.micro_usd)],
      ]);
    }
    const total = rows.reduce((sum, { micro_usd }) => sum + micro_usd, 0);
    expect(await table.getByRole('row').last().getByRole('cell').last().textContent()).toBe(dollars(total));
    expect(await violations()).toEqual([]);
    expect(faults).toEqual([]);
    await close();
  });

  it('the pointer and the keys select a day of the chart, whose values stand in the legend', async () => {
    const { page, violations, faults, close } = await browser.open('/usage?tenant=acme', {
      key: testKeys.admin,
    });
    const chart = page.getByRole('slider', { name: /^Cost by day/ });
    const legend = page.locator('.usage-legend');
    const { length } = rows.filter(({ micro_usd }) => micro_usd > 0);
    await expect.poll(() => chart.locator('path[class^=s][d^=M]').count()).toBe(length);
    const colorOf = (selector: string, property: string) =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).${property}`);
    expect(await colorOf('.chart .s1', 'fill')).toBe(
      await colorOf('.dot[data-series="1"]', 'backgroundColor'),
    );
    // The last day is today.
    await chart.focus();
    for (const row of rows) {
      await legend.getByText(`${row.model}${dollars(row.micro_usd)}`, { exact: true }).waitFor();
    }
    const today = await chart.getAttribute('aria-valuetext');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => chart.getAttribute('aria-valuenow')).toBe('28');
    expect(await chart.getAttribute('aria-valuetext')).not.toBe(today);
    expect(await legend.textContent()).not.toContain(dollars(rows[0]?.micro_usd ?? 0));
    const box = (await chart.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.move(box.x + box.width - 5, box.y + box.height / 2);
    await expect.poll(() => chart.getAttribute('aria-valuetext')).toBe(today);
    expect(await violations()).toEqual([]);
    expect(faults).toEqual([]);
    await close();
  });

  it('the address keeps the grouping, and the CSV has the same period and grouping', async () => {
    const { page, faults, close } = await browser.open('/usage?tenant=acme', { key: testKeys.admin });
    await page.getByText('Metadata', { exact: true }).click();
    await page.getByText('Until then the groups are models.').waitFor();
    await page.getByLabel('Metadata key').fill('campaign');
    await page.keyboard.press('Enter');
    await page.getByRole('row').filter({ hasText: 'spring' }).waitFor();
    expect(page.url()).toContain('by=metadata.campaign');
    expect(await page.getByText('Until then the groups are models.').count()).toBe(0);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV' }).click(),
    ]);
    const csv = await readFile(await download.path(), 'utf8');
    expect(csv).toMatch(/^day,provider,metadata\.campaign,jobs,/);
    expect(csv).toContain(',spring,1,');
    await page.goBack();
    await expect.poll(() => page.getByLabel('Metadata key').inputValue()).toBe('');
    await page.goBack();
    await page.getByRole('heading', { name: 'By Model' }).waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('a report that fails to load leaves the earlier one with its own grouping', async () => {
    const { page, close } = await browser.open('/usage?tenant=acme', { key: testKeys.admin });
    const heading = page.getByRole('heading', { name: 'By Model' });
    await heading.waitFor();
    const names = page.getByRole('table').locator('tbody td:first-child');
    const before = await names.allTextContents();
    await page.route('**/usage?*', (route) => route.abort());
    await page.getByText('Key', { exact: true }).click();
    await page.getByText('Connection lost.').first().waitFor();
    expect(await names.allTextContents()).toEqual(before);
    expect(await heading.count()).toBe(1);
    await close();
  });

  it('shows an empty period with the next step in words', async () => {
    const { page, violations, close } = await browser.open('/usage?tenant=nothing', { key: testKeys.admin });
    await page.getByText('No jobs in this time').waitFor();
    expect(await violations()).toEqual([]);
    await close();
  });
});
