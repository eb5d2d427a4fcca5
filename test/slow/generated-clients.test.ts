import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type ClientGenerators, installClientGenerators, runNode } from '../support/client-generators.ts';
import { heyApiProgram, openapiFetchProgram, shared } from '../support/client-programs.ts';
import { clearMask, noiseImage, sha256 } from '../support/images.ts';
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
let photo: Buffer;
let mask: Buffer;
beforeAll(async () => {
  service = await startService();
  photo = await noiseImage(64, 48);
  mask = await clearMask(64, 48);
  return service.close;
});

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
  const files = [photo, mask].map((bytes) => bytes.toString('base64'));
  const run = ['--import', import.meta.resolve('tsx'), 'program.ts', service.url, testKeys.acme, ...files];
  return JSON.parse(await runNode(run, folder)) as Report;
}

/** Output of a program. */
interface Report {
  readonly events: string[];
  readonly id: string;
  readonly sha256: string;
  readonly editId: string;
  readonly editSha256: string;
}

/** Checks the image of a job and of an edit that a program made. */
async function expectDownloaded({ id, sha256: digest, editId, editSha256 }: Report): Promise<void> {
  expect(digest).toBe((await service.acme.job(id)).images[0]?.sha256);
  const edit = await service.acme.job(editId);
  expect(editSha256).toBe(edit.images[0]?.sha256);
  expect(edit.inputs.map((input) => [input.role, input.sha256])).toEqual([
    ['image', sha256(photo)],
    ['mask', sha256(mask)],
  ]);
}

describe.skipIf(!generators)('clients that are generated from openapi.yaml', () => {
  it('redocly lint finds no error in openapi.yaml', async () => {
    const cwd = await temporaryFolder();
    await generators?.run('redocly', ['lint', '--max-problems', '50', document], cwd);
  });

  it('a client of @hey-api/openapi-ts compiles with tsc --strict, uploads a photo and a mask, edits and downloads', async () => {
    const result = await compileAndRun({
      program: heyApiProgram,
      names: `import type { ImageJob as Job, ImagePreview as Preview, WebhookEvent } from './client';`,
      generate: ({ run }, folder) =>
        run('openapi-ts', ['-i', document, '-o', join(folder, 'client'), '--no-log-file'], folder),
    });
    await expectDownloaded(result);
    expect(result.events.at(-1)).toBe('image.succeeded');
  });

  it('a client of openapi-fetch compiles with tsc --strict, uploads a photo and a mask, edits and downloads', async () => {
    const result = await compileAndRun({
      program: openapiFetchProgram,
      names: `import type { components } from './types';
type Job = components['schemas']['ImageJob'];
type Preview = components['schemas']['ImagePreview'];
type WebhookEvent = components['schemas']['WebhookEvent'];`,
      generate: ({ run }, folder) =>
        run('openapi-typescript', [document, '-o', join(folder, 'types.d.ts')], folder),
    });
    await expectDownloaded(result);
    expect(result.events).toEqual(['image.succeeded']);
  });
});
