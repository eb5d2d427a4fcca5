import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

const builtIn = (name: string) => JSON.parse(readFileSync(`src/data/${name}.json`, 'utf8'));

async function startWithFiles() {
  const environment = await createEnvironment();
  const files = {
    catalogue: join(environment.dataDir, 'c.json'),
    presets: join(environment.dataDir, 'p.json'),
  };
  writeFileSync(files.catalogue, JSON.stringify(builtIn('catalogue')));
  writeFileSync(files.presets, JSON.stringify({ presets: [] }));
  const variables = { CATALOGUE_FILE: files.catalogue, PRESETS_FILE: files.presets };
  const service = await startServiceProcess({ ...environment.env, ...variables });
  onTestFinished(async () => {
    await service.stop();
    await environment.remove();
  });
  const logged = (text: string) =>
    vi.waitFor(() => expect(service.log.filter((line) => line.includes(text))).toHaveLength(1), 10_000);
  return { service, files, logged };
}

it('a running service uses changed models and presets after SIGHUP without a restart', async () => {
  const { service, files, logged } = await startWithFiles();
  const { acme, pid } = service;
  const request = { prompt: 'A lighthouse', model: 'house-model', preset: 'house-style' };
  await acme.post('/images?dry_run=true').send(request).expect(422);

  const catalogue = builtIn('catalogue');
  catalogue.models.push({ ...catalogue.models[0], id: 'house-model', aliases: [] });
  writeFileSync(files.catalogue, JSON.stringify(catalogue));
  const [preset] = builtIn('presets').presets;
  writeFileSync(files.presets, JSON.stringify({ presets: [{ ...preset, name: 'house-style' }] }));
  process.kill(pid, 'SIGHUP');
  await logged('catalogue and presets reloaded');

  const job = await acme.generate(request);
  expect(job).toMatchObject({ status: 'succeeded', request: { model: 'house-model' } });
});

it('a service continues with the models in use if a file is faulty at SIGHUP, and logs the fault', async () => {
  const { service, files, logged } = await startWithFiles();
  writeFileSync(files.catalogue, '{"price_version":"x","models":[{"id":1}]}');
  process.kill(service.pid, 'SIGHUP');
  await logged('not reloaded');

  expect(service.log.join('\n')).toContain('/models/0/id');
  expect((await service.acme.generate({ prompt: 'A lighthouse' })).status).toBe('succeeded');
});
