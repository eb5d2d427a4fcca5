import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configurationPage, environmentExample } from '../scripts/config-docs.ts';
import { errorsPage } from '../scripts/error-docs.ts';
import { studioPage } from '../scripts/studio-docs.ts';
import { composeDocument } from '../src/compose/document.ts';
import { errorCodes } from '../src/domain/errors.ts';
import { maxBodyBytes } from '../src/inbound/http/max-body-size.ts';

/** The rules of ARCHITECTURE.md, checked on every source file. */

const root = new URL('..', import.meta.url).pathname;
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path.endsWith('.ts') && existsSync(join(root, path)));

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;

function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8');
  return [...text.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** Imports of other rooms as paths below src, and of packages by name. */
const imports = files.flatMap((from) =>
  importsOf(from).map((specifier) => ({
    from: relative('src', from),
    to: specifier.startsWith('.') ? relative('src', normalize(join(dirname(from), specifier))) : specifier,
    local: specifier.startsWith('.'),
  })),
);

/** The layer of a file: the first folder below src, the second one where layers are split into groups. */
const layer = (path: string) => path.split('/')[0] ?? '';
const group = (path: string) => path.split('/').slice(0, 2).join('/');
const offending = (rule: (each: (typeof imports)[number]) => boolean) =>
  imports.filter(rule).map(({ from, to }) => `${from} -> ${to}`);

/** What each layer may import of ours, beside itself. */
const layers: Record<string, readonly string[]> = {
  lib: [],
  domain: [],
  usecases: ['domain', 'lib'],
  inbound: ['domain', 'usecases', 'lib'],
  outbound: ['domain', 'lib'],
  local: ['domain', 'lib'],
  config: ['domain', 'lib', 'outbound'],
  compose: ['domain', 'usecases', 'inbound', 'outbound', 'local', 'config', 'lib'],
  'main.ts': ['compose', 'config', 'inbound', 'usecases', 'lib'],
  'health-check.ts': ['config', 'lib'],
};

/** What each group of use cases may import of the others. */
const usecaseGroups: Record<string, readonly string[]> = {
  access: [],
  jobs: ['access', 'inputs'],
  inputs: ['access'],
  usage: ['access'],
  generation: ['jobs', 'inputs', 'usage'],
  webhooks: ['jobs'],
  batches: ['jobs'],
  maintenance: ['access', 'jobs', 'inputs', 'usage', 'generation', 'webhooks', 'batches'],
};

describe('the modules', () => {
  it('this test sees the files and their imports', () => {
    expect(files.length).toBeGreaterThan(80);
    expect(imports.length).toBeGreaterThan(300);
    expect(imports.some((each) => each.to === 'bullmq')).toBe(true);
  });

  it('every layer imports only the layers that the table allows', () => {
    const unknown = files.filter(
      (path) => !(layer(relative('src', path)) in layers) && !path.includes('/data/'),
    );
    expect(unknown).toEqual([]);
    expect(
      offending(
        ({ from, to, local }) =>
          local &&
          layer(to) !== layer(from) &&
          layer(to) !== 'data' &&
          !layers[layer(from)]?.includes(layer(to)),
      ),
    ).toEqual([]);
  });

  it('config imports only the registries of outbound', () => {
    expect(
      offending(
        ({ from, to }) =>
          layer(from) === 'config' && layer(to) === 'outbound' && !to.endsWith('/registry.ts'),
      ),
    ).toEqual([]);
  });

  it('local is imported by compose only', () => {
    expect(
      offending(({ from, to }) => layer(to) === 'local' && !['local', 'compose'].includes(layer(from))),
    ).toEqual([]);
  });

  it('the domain imports zod and nothing else', () => {
    expect(offending((each) => layer(each.from) === 'domain' && !each.local && each.to !== 'zod')).toEqual(
      [],
    );
  });

  it('every group of use cases imports only the groups that the table allows', () => {
    const groupOf = (path: string) => path.split('/')[1] ?? '';
    const inner = imports.filter(({ from, to }) => layer(from) === 'usecases' && layer(to) === 'usecases');
    expect(inner.length).toBeGreaterThan(30);
    expect(
      inner
        .filter(
          ({ from, to }) =>
            groupOf(from) !== groupOf(to) && !usecaseGroups[groupOf(from)]?.includes(groupOf(to)),
        )
        .map(({ from, to }) => `${from} -> ${to}`),
    ).toEqual([]);
  });

  it('adapters of outbound do not import each other', () => {
    expect(
      offending(
        ({ from, to }) => layer(from) === 'outbound' && layer(to) === 'outbound' && group(from) !== group(to),
      ),
    ).toEqual([]);
  });

  it('imports run in one direction: following them, no file comes back to itself', () => {
    let left = imports.filter(({ local }) => local);
    for (let before = -1; left.length !== before; ) {
      before = left.length;
      const importers = new Set(left.map(({ from }) => from));
      const imported = new Set(left.map(({ to }) => to));
      // The first and the last of a way are no part of a circle.
      left = left.filter(({ from, to }) => imported.has(from) && importers.has(to));
    }
    expect(left.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  const owners: [string, RegExp, RegExp][] = [
    ['fastify', /^(fastify|@fastify\/.*)$/, /^inbound\/http\/|^compose\//],
    ['bullmq', /^bullmq$/, /^outbound\/queue\//],
    ['openai', /^openai(\/.*)?$/, /^outbound\/providers\/openai\//],
    ['the S3 client', /^@aws-sdk\//, /^outbound\/storage\//],
    ['commander', /^commander$/, /^inbound\/cli\//],
    ['sharp', /^sharp$/, /^local\/studio\//],
  ];
  it.each(owners)('%s is imported by its owner only', (_name, packages, owner) => {
    expect(offending((each) => packages.test(each.to) && !owner.test(each.from))).toEqual([]);
  });

  it('only config.ts reads the environment, others at most hand all of it on', () => {
    const reads = /process\.env\b|(?<!\.)\benv(\.|\?\.|\[)|\} = env\b/;
    const readers = files.filter((path) => reads.test(readFileSync(join(root, path), 'utf8')));
    expect(readers).toEqual(['src/config/config.ts']);
  });

  it('the time of day and chance come from outside into the domain and the use cases', () => {
    const uninjected = /\bDate\.now\b|new Date\(\)|Math\.random|randomUUID|randomBytes/;
    const inner = files.filter((path) => /^src\/(domain|usecases)\//.test(path));
    expect(inner.length).toBeGreaterThan(60);
    expect(inner.filter((path) => uninjected.test(readFileSync(join(root, path), 'utf8')))).toEqual([]);
  });
});

describe('what is written from the code', () => {
  it('openapi.yaml is the document of the running service', async () => {
    expect(readFileSync(join(root, 'openapi.yaml'), 'utf8')).toBe(await composeDocument());
  });

  it('docs/configuration.md and .env.example are fresh', () => {
    expect(readFileSync(join(root, 'docs/configuration.md'), 'utf8')).toBe(configurationPage());
    expect(readFileSync(join(root, '.env.example'), 'utf8')).toBe(environmentExample());
  });

  it('docs/errors.md is fresh, and lists every code', () => {
    const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
    expect(page).toBe(errorsPage());
    for (const code of errorCodes) expect(page).toContain(`| \`${code}\` |`);
  });

  it('SECURITY.md says how large a body may be', () => {
    const bytes = maxBodyBytes().toLocaleString('en');
    expect(readFileSync(join(root, 'SECURITY.md'), 'utf8')).toContain(`at most ${bytes} bytes`);
  });

  it('the list of decisions names each with its title', () => {
    const folder = join(root, 'docs/adr');
    const list = readFileSync(join(folder, 'README.md'), 'utf8');
    for (const page of readdirSync(folder).filter((name) => name !== 'README.md')) {
      const title = /^# (.*)$/m.exec(readFileSync(join(folder, page), 'utf8'))?.[1];
      expect(list).toContain(`- [${title}](${page})`);
    }
  });

  it('docs/studio.md is fresh', () => {
    expect(readFileSync(join(root, 'docs/studio.md'), 'utf8')).toBe(studioPage());
  });

  it('every path that the documents link to or name exists', () => {
    const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
      cwd: root,
      encoding: 'utf8',
    })
      .split('\n')
      .filter((page) => page && existsSync(join(root, page)));
    expect(pages).toContain('README.md');
    const broken = pages.flatMap((page) => {
      const text = readFileSync(join(root, page), 'utf8');
      const found = (pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? '');
      const linked = found(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g).map((to) =>
        join(dirname(page), to),
      );
      const named = found(/`((?:src|test|bench|docs|scripts|examples|deploy)\/[\w./-]+)`/g);
      return [...linked, ...named]
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${page}: ${target}`);
    });
    expect(broken).toEqual([]);
  });
});
