import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const spoolFolder = () => join(service.dataDir, 'spool');

describe('a spool that disappears while the service runs', () => {
  it('is created again for the next job, which is paid once', async () => {
    await service.acme.generate({ prompt: 'Before the cleaner' });
    await rm(spoolFolder(), { recursive: true });
    const job = await service.acme.generate({ prompt: 'After the cleaner' });
    expect(job).toMatchObject({ status: 'succeeded', attempts: [{ state: 'stored' }] });
  });

  it('makes the worker unready while a file has its name', async () => {
    await rm(spoolFolder(), { recursive: true });
    await writeFile(spoolFolder(), '');
    const ready = () => supertest(service.url).get('/readyz');
    await eventually(async () => {
      const { body } = await ready().expect(503);
      expect(body.checks.spool).toMatchObject({
        ok: false,
        detail: expect.stringContaining('Remove that file'),
      });
    });
    await rm(spoolFolder());
    await eventually(async () => void (await ready().expect(200)));
    const job = await service.acme.generate({ prompt: 'After the file is gone' });
    expect(job).toMatchObject({ status: 'succeeded' });
  });
});
