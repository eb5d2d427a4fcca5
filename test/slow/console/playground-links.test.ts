import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { storageIn } from '../../support/bucket.ts';
import { type ConsoleBrowser, hasChromium, openConsole } from '../../support/console.ts';
import { plainImage, RED } from '../../support/edit-inputs.ts';
import { startTestS3 } from '../../support/s3-server.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

describe.skipIf(!hasChromium)('links that fill the form of the playground in Chromium', () => {
  let service: TestService;
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    service = await startService({ THUMBNAILS: 'true' });
    browser = await openConsole(service.url);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  const open = (path: string) => browser.open(path, { key: testKeys.acme });
  const query = (page: Page) => new URL(page.url()).searchParams;
  const prompt = (page: Page) => page.getByRole('textbox', { name: /^Prompt/ });
  /** Generates with the filled form, and returns the new job. */
  async function generate(page: Page, before: string | null) {
    await page.getByRole('button', { name: /^Generate \d/ }).click();
    await page.waitForURL((url) => ![null, before].includes(url.searchParams.get('job')));
    return service.acme.ended(query(page).get('job') ?? '');
  }

  it.each([
    ['the gallery', (id: string) => `/gallery?job=${id}`],
    ['a job', (id: string) => `/jobs/${id}`],
  ])('Edit in %s puts the image into the form, and the address forgets it', async (_what, pathOf) => {
    const { id } = await service.acme.generate({ prompt: 'A harbor to edit', quality: 'low' });
    const { page, faults, close } = await open(pathOf(id));
    await page.getByRole('link', { name: 'Edit', exact: true }).first().click();
    await page.getByRole('img', { name: `${id} 1` }).waitFor();
    await expect.poll(() => query(page).has('edit'), { timeout: 15_000 }).toBe(false);
    await prompt(page).fill('Add a red boat');
    const job = await generate(page, null);
    expect(job.inputs).toMatchObject([{ role: 'image', source: { image_id: id, index: 0 } }]);
    expect(faults).toEqual([]);
    await close();
  });

  it('an image that is gone is named instead of being left out silently', async () => {
    const { id } = await service.acme.generate({ prompt: 'A harbor', quality: 'low' });
    const { page, close } = await open(`/playground?edit=${id}&index=7`);
    await page.getByText('These values of the job are not in the form: images[7].').waitFor();
    await close();
    await service.acme.delete(`/images/${id}`).expect(204);
    const erased = await open(`/playground?edit=${id}&index=0`);
    await erased.page.getByRole('alert').getByRole('link', { name: 'erased' }).waitFor();
    await erased.close();
  });

  it('Use again fills the form with the request of a job, and generates the same', async () => {
    const request = {
      prompt: 'A friendly owl',
      preset: { name: 'avatar', variables: { background: 'plain teal' } },
      model: 'gpt-image-2',
      size: '1280x720',
      quality: 'low',
      n: 2,
      partial_images: 1,
      enhance: 'always',
      output_format: 'webp',
      max_cost_micro_usd: 900_000,
      metadata: { campaign: 'spring' },
    };
    const source = await service.acme.generate(request);
    const { page, faults, violations, close } = await open(`/gallery?job=${source.id}`);
    await page.getByRole('link', { name: 'Use again' }).click();
    await page.getByText('The form has the request of').waitFor();
    await expect.poll(() => query(page).get('from'), { timeout: 15_000 }).toBeNull();
    expect(query(page).get('job')).toBe(source.id);
    expect(await page.getByText('These values of the job').count()).toBe(0);
    expect(await prompt(page).inputValue()).toBe('A friendly owl');
    expect(await violations()).toEqual([]);
    const job = await generate(page, source.id);
    expect(job.request).toEqual(source.request);
    expect(faults).toEqual([]);
    await close();
  });

  it('Use again takes the inputs that are still available, and names what the form cannot have', async () => {
    const { body: upload } = await service.acme
      .post('/uploads')
      .set('content-type', 'image/png')
      .send(await plainImage(256, 256, RED))
      .expect(201);
    const input = await service.acme.generate({ prompt: 'An input', quality: 'low' });
    const gone = await service.acme.generate({ prompt: 'An input that is erased', quality: 'low' });
    const source = await service.acme.generate({
      prompt: 'All of them together',
      quality: 'low',
      priority: 'high',
      images: [
        { upload_id: upload.id },
        { image_id: input.id, index: 0 },
        { image_id: gone.id, index: 0 },
        { data: (await plainImage(256, 256, RED)).toString('base64') },
      ],
    });
    await service.acme.delete(`/images/${gone.id}`).expect(204);
    const { page, faults, violations, close } = await open(`/jobs/${source.id}`);
    await page.getByRole('link', { name: 'Use again' }).first().click();
    await page
      .getByText('These values of the job are not in the form: images[2], images[3], priority.')
      .waitFor();
    expect(await violations()).toEqual([]);
    const job = await generate(page, source.id);
    expect(job.inputs.map(({ source: { upload_id, image_id } }) => upload_id ?? image_id)).toEqual([
      upload.id,
      input.id,
    ]);
    expect(faults).toEqual([]);
    await close();
  });

  it('Use again takes an upload whose bytes only another origin has, without reading them', async () => {
    const s3 = await startTestS3();
    onTestFinished(s3.stop);
    const remote = await startService(storageIn(s3));
    onTestFinished(remote.close);
    const { body: upload } = await remote.acme
      .post('/uploads')
      .set('content-type', 'image/png')
      .send(await plainImage(256, 256, RED))
      .expect(201);
    const images = [{ upload_id: upload.id }];
    const source = await remote.acme.generate({ prompt: 'From a bucket', quality: 'low', images });
    const other = await openConsole(remote.url);
    onTestFinished(other.close);
    const { page, faults, violations } = await other.open(`/playground?from=${source.id}`, {
      key: testKeys.acme,
      imageOrigins: [s3.endpoint],
    });
    await page.getByText('The form has the request of').waitFor();
    await page.getByRole('img', { name: upload.id }).waitFor();
    expect(await page.getByRole('button', { name: 'Paint a mask' }).count()).toBe(0);
    expect(await violations()).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('Use again works for a recent image, and an erased job is reported', async () => {
    const { id } = await service.acme.generate({ prompt: 'A recent raven', quality: 'low' });
    const { page, close } = await open('/playground');
    await page.getByRole('link', { name: 'Use again: A recent raven' }).click();
    await expect.poll(() => prompt(page).inputValue(), { timeout: 15_000 }).toBe('A recent raven');
    await page.getByRole('button', { name: 'Close message' }).click();
    await page.getByText('The form has the request of').waitFor({ state: 'detached' });
    await close();
    await service.acme.delete(`/images/${id}`).expect(204);
    const erased = await open(`/playground?from=${id}`);
    await erased.page.getByRole('alert').getByRole('link', { name: 'erased' }).waitFor();
    await erased.close();
  });

  it('a variation in the playground shows its cost first', async () => {
    const { id } = await service.acme.generate({ prompt: 'A varied vole', quality: 'low' });
    const { page, close } = await open(`/playground?job=${id}`);
    await page.getByRole('button', { name: 'Vary' }).click();
    const dialog = page.getByRole('dialog', { name: 'Vary this image?' });
    await dialog
      .getByText(/^\$0\.\d{4}$/)
      .first()
      .waitFor();
    await dialog.getByRole('button', { name: 'Vary' }).click();
    await page.waitForURL((url) => url.searchParams.get('job') !== id);
    const job = await service.acme.ended(query(page).get('job') ?? '');
    expect(job.parent_id).toBe(id);
    await close();
  });
});
