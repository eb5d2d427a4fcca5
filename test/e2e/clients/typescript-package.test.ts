import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runNode } from '../../support/client-generators.ts';
import { noiseImage } from '../../support/images.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';
import {
  installClient,
  projectRoot as root,
  clientSource as source,
  tsc,
} from '../../support/typescript-package.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

const tsconfig = {
  compilerOptions: {
    target: 'ES2022',
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    outDir: 'built',
  },
  include: ['*.ts'],
};

describe('the package @darkroom/client', () => {
  it('every example of its README compiles in a strict project and runs on this Node', async () => {
    const project = await installClient();
    const readme = await readFile(join(source, 'README.md'), 'utf8');
    const blocks = Array.from(readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code]) => code ?? '');
    expect(blocks.length).toBeGreaterThan(5);
    for (const [index, code] of blocks.entries()) await writeFile(join(project, `example-${index}.ts`), code);
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify(tsconfig));
    await writeFile(join(project, 'photo.png'), await noiseImage(64, 48));
    await runNode([tsc, '-p', project], project);

    const env = { DARKROOM_URL: service.url, DARKROOM_API_KEY: testKeys.acme };
    const outputs: string[] = [];
    for (const index of blocks.keys())
      outputs.push(await runNode([`built/example-${index}.js`], project, env));
    expect(outputs[0]).toMatch(/^http\S+ \d+\n$/);
    expect((await readFile(join(project, 'fox.png'))).subarray(1, 4).toString()).toBe('PNG');
    expect(outputs[1]).toMatch(/^at most \d+ micro-USD\n2\n$/);
    expect(outputs[2]).toMatch(/^(queued|running|succeeded)\nimg_\S+ /);
    expect(outputs[3]).toMatch(/^The request may cost up to \d+ micro-USD\.\n$/);
    expect(outputs[5]).toContain('gpt-image');
  });

  it('the package has no dependency and publishes only its build and README', async () => {
    const manifest = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest.files).toEqual(['dist', 'README.md']);
    expect(manifest.engines).toEqual({ node: '>=20' });
  });

  it('both packages contain the license, because the packers only look into their own folder', async () => {
    const root = join(import.meta.dirname, '../../..');
    const license = await readFile(join(root, 'LICENSE'), 'utf8');
    for (const folder of ['clients/typescript', 'clients/python']) {
      expect(await readFile(join(root, folder, 'LICENSE'), 'utf8')).toBe(license);
    }
  });
});
