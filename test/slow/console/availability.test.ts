import { describe, expect, it } from 'vitest';
import { hasChromium } from '../../support/console.ts';
import { consoleService } from '../../support/console-service.ts';
import { testKeys } from '../../support/service-environment.ts';

describe.skipIf(!hasChromium)('the console without a part of its answers in Chromium', () => {
  const started = consoleService();

  const open = (path: string) => started.browser.open(path, { key: testKeys.acme });

  it('the system screen does not call a state good that it cannot read any more', async () => {
    const { page, violations, close } = await started.browser.open('/system', { key: testKeys.admin });
    await page.getByText('All systems work.').waitFor();
    await page.route('**/admin/status', (route) => route.abort('connectionrefused'));
    await page.getByText('Connection lost.').waitFor();
    expect(await page.getByText('All systems work.').count()).toBe(0);
    expect(await page.getByText('Works', { exact: true }).count()).toBe(0);
    expect(await violations()).toEqual([]);
    await page.unroute('**/admin/status');
    await page.getByText('All systems work.').waitFor();
    await close();
  });

  it('the gallery says that the stream of its changes is lost', async () => {
    const { page, violations, close } = await open('/playground');
    await page.route('**/events', (route) => route.abort('connectionrefused'));
    await page.getByRole('link', { name: 'Gallery' }).first().click();
    await page.getByText('Jobs continue on the server.').waitFor();
    expect(await violations()).toEqual([]);
    await page.unroute('**/events');
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByText('Jobs continue on the server.').waitFor({ state: 'detached' });
    await close();
  });

  it('a filter that the service does not know is shown, and can be cleared', async () => {
    const { page, violations, close } = await open('/gallery?status=%3Cb%3E');
    await page.getByText('validation_failed').waitFor();
    expect(await page.getByRole('combobox', { name: 'Status' }).inputValue()).toBe('<b>');
    expect(await violations()).toEqual([]);
    await page.getByRole('link', { name: 'Clear filters' }).click();
    await page.waitForURL((url) => url.search === '');
    await page.getByText('validation_failed').waitFor({ state: 'detached' });
    await close();
  });

  it('the metadata of a job leads to the jobs that have it, and an erased job says when that was', async () => {
    const metadata = { campaign: 'spring' };
    const { id } = await started.service.acme.generate({ prompt: 'A tagged owl', quality: 'low', metadata });
    const { page, violations, close } = await open(`/jobs/${id}`);
    await page.getByRole('link', { name: 'campaign=spring' }).waitFor();
    expect(await violations()).toEqual([]);
    await started.service.acme.delete(`/images/${id}`).expect(204);
    await page.reload();
    await page.getByText('Its id, times and amounts remain in the ledger.').waitFor();
    expect(await page.getByText(/\d{4}-\d\d-\d\dT/).count()).toBe(0);
    await close();
  });

  it('failures do not push the recent images out of their list', async () => {
    await started.service.acme.generate({ prompt: 'An owl before failures', quality: 'low' });
    for (let i = 0; i < 12; i += 1) {
      await started.service.acme.generate({ prompt: `Blocked ${i} [studio:moderation]`, quality: 'low' });
    }
    const { page, close } = await open('/playground');
    const recent = page.getByRole('region', { name: 'Recent' });
    await recent.getByAltText('An owl before failures').waitFor();
    await close();
  });

  it('the clock of a job is that of the server, if the clock of the browser is a day ahead', async () => {
    const { id } = await started.service.acme.submit({
      prompt: 'A sloth [studio:latency=600000]',
      quality: 'low',
    });
    const { page, close } = await open('/playground');
    await page.clock.install({ time: Date.now() + 86_400_000 });
    await page.goto(`${started.service.url}/console/playground?job=${id}`);
    const clock = page.getByRole('region', { name: 'Result' }).locator('.push .num');
    await clock.getByText(/^0:\d\d$/).waitFor();
    await started.service.acme.post(`/images/${id}/cancel`).expect(200);
    await close();
  });

  it('the list of shortcuts has those of the gallery, the job and the mask', async () => {
    const { page, violations, close } = await open('/gallery');
    await page.getByRole('heading', { name: 'Gallery', level: 1 }).waitFor();
    await page.keyboard.press('?');
    const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    for (const text of ['Compare the marked jobs', 'Next and previous job', 'while a mask is painted']) {
      await dialog.getByText(text).waitFor();
    }
    expect(await violations()).toEqual([]);
    await close();
  });

  it('an address that cannot be decoded is an unknown screen', async () => {
    const { page, close } = await open('/jobs/%E0%A4%A');
    await page.getByRole('heading', { name: 'No such screen', level: 1 }).waitFor();
    await close();
  });

  it('an error of a read says nothing about charges', async () => {
    const { id } = await started.service.acme.generate({ prompt: 'An erased owl', quality: 'low' });
    await started.service.acme.delete(`/images/${id}`).expect(204);
    const { page, close } = await open(`/playground?job=${id}`);
    const result = page.getByRole('region', { name: 'Result' });
    await result.getByText('erased', { exact: true }).waitFor();
    expect(await result.getByText('nothing was charged').count()).toBe(0);
    await close();
  });
});
