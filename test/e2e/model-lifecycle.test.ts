import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { startService, type TestService } from '../support/service.ts';

const ending = 'ends-in-a-far-year';
const announced = { deprecation: '@1780358400', sunset: 'Mon, 01 Dec 2098 00:00:00 GMT' };

let service: TestService;
beforeAll(async () => {
  const catalogue = JSON.parse(readFileSync('src/data/catalogue.json', 'utf8'));
  const [model] = catalogue.models;
  const dates = { status: 'deprecated', deprecated_at: '2026-06-02', shutdown_at: '2098-12-01' };
  catalogue.models.push({ ...model, ...dates, id: ending, aliases: [] });
  const folder = mkdtempSync(join(tmpdir(), 'darkroom-test-'));
  const file = join(folder, 'catalogue.json');
  writeFileSync(file, JSON.stringify(catalogue));
  service = await startService({ CATALOGUE_FILE: file });
  return async () => {
    await service.close();
    rmSync(folder, { recursive: true });
  };
});

it('every response that uses a model near its end announces the notice and the shutdown', async () => {
  const request = { prompt: 'A lighthouse', model: ending };
  const preview = await service.acme.post('/images?dry_run=true').send(request).expect(200);
  const accepted = await service.acme.post('/images').send(request).expect(202);
  await service.acme.ended(accepted.body.id);
  const polled = await service.acme.get(`/images/${accepted.body.id}`).expect(200);
  const compatible = await service.acme.post('/v1/images/generations').send(request).expect(200);
  for (const { headers } of [preview, accepted, polled, compatible]) expect(headers).toMatchObject(announced);
  expect(polled.body.warnings).toEqual([expect.stringContaining('shuts down on 2098-12-01')]);
});

it('a response that uses a current model announces nothing', async () => {
  const { headers } = await service.acme.post('/images').send({ prompt: 'A lighthouse' }).expect(202);
  expect(headers).not.toHaveProperty('sunset');
  expect(headers).not.toHaveProperty('deprecation');
});
