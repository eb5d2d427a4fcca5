import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { modelsPage } from '../../scripts/catalogue-docs.ts';
import { configurationPage, environmentExample } from '../../scripts/config-docs.ts';
import { errorsPage } from '../../scripts/error-docs.ts';
import { root, textOf } from '../../scripts/language/source-files.ts';
import { readmes, readmeWithModels } from '../../scripts/model-docs.ts';
import { studioPage } from '../../scripts/studio-docs.ts';
import { composeDocument } from '../../src/compose/document.ts';
import { errorCodes } from '../../src/domain/errors.ts';
import { maxBodyBytes } from '../../src/inbound/http/max-body-size.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Returns the files below a folder with their texts. */
function filesOf(folder: string): Map<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  return new Map(paths.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

describe('generated files', () => {
  it('openapi.yaml is the document of the running service', async () => {
    expect(textOf('openapi.yaml')).toBe(await composeDocument());
  });

  it('the generated code of the TypeScript client matches openapi.yaml', async () => {
    const folder = await temporaryFolder();
    const args = ['--import', 'tsx', 'scripts/write-client.ts', folder];
    await promisify(execFile)(process.execPath, args, { cwd: root });
    const committed = filesOf(join(root, 'clients/typescript/src/generated'));
    expect([...committed.keys()]).toContain('types.gen.ts');
    expect(filesOf(folder)).toEqual(committed);
  });

  it('docs/configuration.md and .env.example match the variables', () => {
    expect(textOf('docs/configuration.md')).toBe(configurationPage());
    expect(textOf('.env.example')).toBe(environmentExample());
  });

  it('docs/models.md matches the schemas of the catalogue and the presets, and its examples are valid', () => {
    expect(textOf('docs/models.md')).toBe(modelsPage());
  });

  it('docs/errors.md matches the table of errors and lists every code', () => {
    const page = textOf('docs/errors.md');
    expect(page).toBe(errorsPage());
    for (const code of errorCodes) expect(page).toContain(`| \`${code}\` |`);
  });

  it('docs/studio.md matches the faults of the studio', () => {
    expect(textOf('docs/studio.md')).toBe(studioPage());
  });

  it.each(readmes)('the models and prices of %s match the catalogue', (name) => {
    expect(textOf(name)).toBe(readmeWithModels(name));
  });

  it('SECURITY.md states the maximum size of a body', () => {
    expect(textOf('SECURITY.md')).toContain(`at most ${maxBodyBytes.toLocaleString('en')} bytes`);
  });

  it('the list of decisions names every decision by its title', () => {
    const list = textOf('docs/adr/README.md');
    for (const page of readdirSync(join(root, 'docs/adr')).filter((name) => name !== 'README.md')) {
      const title = /^# (.*)$/m.exec(textOf(`docs/adr/${page}`))?.[1];
      expect(list).toContain(`- [${title}](${page})`);
    }
  });
});
