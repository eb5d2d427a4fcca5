import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type ClientGenerators, installClientGenerators, runNode } from '../support/client-generators.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

vi.setConfig({ testTimeout: 120_000 });

const project = new URL('../..', import.meta.url).pathname;
const document = join(project, 'openapi.yaml');

// The programs are installed once for each user, which may take a minute.
const generators = await installClientGenerators().catch((error: Error) => {
  console.warn(`skipped: the generators of clients cannot be installed: ${error.message}`);
  return null;
});

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

/** Code that both programs share: how a caller reads the unions of the document. */
const shared = `
declare const process: { argv: string[]; stdout: { write(text: string): void } };
export const [, , baseUrl = '', key = ''] = process.argv;

export function jobOf(body: Job | Preview): Job {
  if (body.object === 'image_preview') throw new Error('a preview of ' + body.estimate.high_micro_usd);
  return body;
}

/** Compiles only if the type of an event determines its shape. */
export function textOf(event: WebhookEvent): string {
  switch (event.type) {
    case 'webhook.test':
      return event.data.endpoint_id;
    case 'image.failed':
      return event.data.error?.code ?? 'internal';
    default:
      return event.data.images.map(({ url }) => url).join();
  }
}

export async function report(id: string, events: string[], bytes: ArrayBuffer): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  process.stdout.write(JSON.stringify({ id, events, sha256 }));
}
`;

const heyApiProgram = `
import { getImageContent, getJob, rotateWebhookSecret, streamImageEvents, submitJob } from './client';
import { createClient } from './client/client';
import { baseUrl, jobOf, key, report } from './shared';

const client = createClient({ baseUrl, auth: key });
const refused = await submitJob({ client, body: { prompt: ' ' } });
if (refused.error?.code !== 'validation_failed') throw new Error('expected a problem');
// The body is optional.
const unknown = await rotateWebhookSecret({ client, path: { id: 'whk_unknown' } });
if (unknown.error?.code !== 'not_found') throw new Error('expected another problem');

const headers = { 'idempotency-key': 'hey-api' };
const submitted = await submitJob({ client, headers, body: { prompt: 'A fox by a client', quality: 'low' } });
if (!submitted.data) throw new Error(submitted.error.detail);
const { id } = jobOf(submitted.data);
const events: string[] = [];
const { stream } = await streamImageEvents({ client, path: { id } });
for await (const event of stream) {
  // A 204 response, without events, ends the stream of a client that has read them all.
  if (!event) break;
  events.push(event.type);
  if (event.type === 'image.succeeded' && event.job.images.length !== 1) throw new Error('expected one image');
}
const { data: job } = await getJob({ client, path: { id }, query: { wait: 20 }, throwOnError: true });
const image = job.images[0]!;
const path = { id, index: image.index };
const content = await getImageContent({ client, path, parseAs: 'blob', throwOnError: true });
await report(id, events, await content.data.arrayBuffer());
`;

const openapiFetchProgram = `
import createClient from 'openapi-fetch';
import { baseUrl, jobOf, key, report } from './shared';
import type { paths } from './types';

const client = createClient<paths>({ baseUrl, headers: { authorization: 'Bearer ' + key } });
const refused = await client.POST('/images', { body: { prompt: ' ' } });
if (refused.error?.code !== 'validation_failed') throw new Error('expected a problem');

const params = { header: { 'idempotency-key': 'openapi-fetch', prefer: 'wait=50' } };
const submitted = await client.POST('/images', { params, body: { prompt: 'A fox by a client', quality: 'low' } });
if (!submitted.data) throw new Error(submitted.error.detail);
const { id, status, images } = jobOf(submitted.data);
const path = { id, index: images[0]!.index };
const content = await client.GET('/images/{id}/content/{index}', { params: { path }, parseAs: 'arrayBuffer' });
if (!content.data) throw new Error(content.error?.detail);
await report(id, ['image.' + status], content.data);
`;

const tsconfig = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: 'ES2022',
    module: 'ESNext',
    moduleResolution: 'bundler',
    lib: ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
    types: [],
  },
};

interface Client {
  readonly program: string;
  /** Imports of the names that the shared code uses. */
  readonly names: string;
  generate(generators: ClientGenerators, folder: string): Promise<unknown>;
}

/** Writes a package with a program, compiles it and runs it against the service. */
async function compileAndRun({ program, names, generate }: Client) {
  if (!generators) throw new Error('the generators are missing');
  const folder = await temporaryFolder();
  await symlink(generators.nodeModules, join(folder, 'node_modules'));
  await generate(generators, folder);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  await writeFile(join(folder, 'shared.ts'), names + shared);
  await writeFile(join(folder, 'program.ts'), program);
  await runNode([join(project, 'node_modules/typescript/bin/tsc'), '-p', folder], folder);
  const run = ['--import', import.meta.resolve('tsx'), 'program.ts', service.url, testKeys.acme];
  return JSON.parse(await runNode(run, folder)) as { id: string; events: string[]; sha256: string };
}

describe.skipIf(!generators)('clients that are generated from openapi.yaml', () => {
  it('redocly lint finds no error in openapi.yaml', async () => {
    const cwd = await temporaryFolder();
    await generators?.run('redocly', ['lint', '--max-problems', '50', document], cwd);
  });

  it('a client of @hey-api/openapi-ts compiles with tsc --strict and downloads the image of a job', async () => {
    const result = await compileAndRun({
      program: heyApiProgram,
      names: `import type { ImageJob as Job, ImagePreview as Preview, WebhookEvent } from './client';`,
      generate: ({ run }, folder) =>
        run('openapi-ts', ['-i', document, '-o', join(folder, 'client'), '--no-log-file'], folder),
    });
    const job = await service.acme.job(result.id);
    expect(result.sha256).toBe(job.images[0]?.sha256);
    expect(result.events.at(-1)).toBe('image.succeeded');
  });

  it('a client of openapi-fetch compiles with tsc --strict and downloads the image of a job', async () => {
    const result = await compileAndRun({
      program: openapiFetchProgram,
      names: `import type { components } from './types';
type Job = components['schemas']['ImageJob'];
type Preview = components['schemas']['ImagePreview'];
type WebhookEvent = components['schemas']['WebhookEvent'];`,
      generate: ({ run }, folder) =>
        run('openapi-typescript', [document, '-o', join(folder, 'types.d.ts')], folder),
    });
    const job = await service.acme.job(result.id);
    expect(result).toMatchObject({ sha256: job.images[0]?.sha256, events: ['image.succeeded'] });
  });
});
