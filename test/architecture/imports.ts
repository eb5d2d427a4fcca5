import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textOf, typescriptFiles } from '../../scripts/language/source-files.ts';

const files = typescriptFiles.filter((path) => path.startsWith('src/'));

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;

interface Import {
  /** Path of the importing file below src. */
  readonly from: string;
  /** Path of the imported file below src, or the name of a package. */
  readonly to: string;
  readonly isLocal: boolean;
}

function importsOf(path: string): Import[] {
  return [...textOf(path).matchAll(importPattern)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    const isLocal = specifier.startsWith('.');
    const target = relative('src', normalize(join(dirname(path), specifier)));
    return { from: relative('src', path), to: isLocal ? target : specifier, isLocal };
  });
}

const imports = files.flatMap(importsOf);

/** Returns the layer of a file: the first folder below src. */
const layerOf = (path: string) => path.split('/')[0] ?? '';
/** Returns the group or adapter of a file: the second folder below src. */
const groupOf = (path: string) => path.split('/')[1] ?? '';

function describeImports(found: readonly Import[]): string[] {
  return found.map(({ from, to }) => `${from} -> ${to}`);
}

/** Layers that each layer may import, besides itself. */
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

/** Groups that each group of use cases may import. */
const usecaseGroups: Record<string, readonly string[]> = {
  access: [],
  jobs: ['access', 'inputs'],
  inputs: ['access'],
  usage: ['access'],
  generation: ['jobs', 'inputs', 'usage'],
  webhooks: ['jobs'],
  batches: ['jobs'],
  thumbnails: ['jobs'],
  maintenance: ['access', 'jobs', 'inputs', 'usage', 'generation', 'webhooks', 'batches'],
};

/** Packages that belong to one module. */
const owners: readonly (readonly [name: string, packages: RegExp, owner: RegExp])[] = [
  ['fastify', /^(fastify|@fastify\/(?!busboy$).*)$/, /^inbound\/http\/|^compose\//],
  ['the form parser', /^@fastify\/busboy$/, /^inbound\/http\/|^local\/studio\//],
  ['bullmq', /^bullmq$/, /^outbound\/queue\//],
  ['openai', /^openai(\/.*)?$/, /^outbound\/providers\/openai\//],
  ['the S3 client', /^@aws-sdk\//, /^outbound\/storage\//],
  ['commander', /^commander$/, /^inbound\/cli\//],
  ['the MCP server', /^@modelcontextprotocol\/(server|node)$/, /^inbound\/mcp\//],
  ['sharp', /^sharp$/, /^local\/studio\/|^outbound\/media\//],
];

describe('imports', () => {
  it('the check of imports sees the files and what they import', () => {
    expect(files.length).toBeGreaterThan(200);
    expect(imports.length).toBeGreaterThan(300);
    expect(imports.some((each) => each.to === 'bullmq')).toBe(true);
  });

  it('every layer imports only the layers that the table allows', () => {
    const unknown = files.filter(
      (path) => !(layerOf(relative('src', path)) in layers) && !path.includes('/data/'),
    );
    expect(unknown).toEqual([]);
    const wrong = imports
      .filter(({ isLocal, from, to }) => isLocal && layerOf(to) !== layerOf(from) && layerOf(to) !== 'data')
      // A rule of its own covers the TypeScript client.
      .filter(({ to }) => layerOf(to) !== '..')
      .filter(({ from, to }) => !layers[layerOf(from)]?.includes(layerOf(to)));
    expect(describeImports(wrong)).toEqual([]);
  });

  it('config imports only the registries of outbound', () => {
    const wrong = imports
      .filter(({ from, to }) => layerOf(from) === 'config' && layerOf(to) === 'outbound')
      .filter(({ to }) => !to.endsWith('/registry.ts'));
    expect(describeImports(wrong)).toEqual([]);
  });

  it('only compose imports local', () => {
    const wrong = imports
      .filter(({ to }) => layerOf(to) === 'local')
      .filter(({ from }) => !['local', 'compose'].includes(layerOf(from)));
    expect(describeImports(wrong)).toEqual([]);
  });

  it('only the command line imports the TypeScript client', () => {
    const users = imports.filter(({ to }) => layerOf(to) === '..').map(({ from }) => from);
    expect(users.length).toBeGreaterThan(3);
    expect(users.filter((from) => !from.startsWith('inbound/cli/'))).toEqual([]);
  });

  it('the domain imports no package but zod', () => {
    const wrong = imports.filter(
      ({ from, to, isLocal }) => layerOf(from) === 'domain' && !isLocal && to !== 'zod',
    );
    expect(describeImports(wrong)).toEqual([]);
  });

  it('every group of use cases imports only the groups that the table allows', () => {
    const inner = imports.filter(
      ({ from, to }) => layerOf(from) === 'usecases' && layerOf(to) === 'usecases',
    );
    expect(inner.length).toBeGreaterThan(30);
    const wrong = inner
      .filter(({ from, to }) => groupOf(from) !== groupOf(to))
      .filter(({ from, to }) => !usecaseGroups[groupOf(from)]?.includes(groupOf(to)));
    expect(describeImports(wrong)).toEqual([]);
  });

  it('adapters of outbound do not import each other', () => {
    const wrong = imports
      .filter(({ from, to }) => layerOf(from) === 'outbound' && layerOf(to) === 'outbound')
      .filter(({ from, to }) => groupOf(from) !== groupOf(to));
    expect(describeImports(wrong)).toEqual([]);
  });

  it.each([
    ['the service', 'src/', 300],
    ['the console', 'console/src/', 150],
    ['the TypeScript client', 'clients/typescript/src/', 15],
  ])('no chain of imports of %s leads back to the file where it begins', (_name, folder, least) => {
    const all = typescriptFiles.filter((path) => path.startsWith(folder));
    let rest = all.flatMap(importsOf).filter(({ isLocal }) => isLocal);
    expect(rest.length).toBeGreaterThan(least);
    for (let before = -1; rest.length !== before; ) {
      before = rest.length;
      const importers = new Set(rest.map(({ from }) => from));
      const imported = new Set(rest.map(({ to }) => to));
      // A file that imports nothing, or that no file imports, cannot be part of a cycle.
      rest = rest.filter(({ from, to }) => imported.has(from) && importers.has(to));
    }
    expect(describeImports(rest)).toEqual([]);
  });

  it.each(owners)('%s is imported by its owner only', (_name, packages, owner) => {
    const wrong = imports.filter(({ from, to }) => packages.test(to) && !owner.test(from));
    expect(describeImports(wrong)).toEqual([]);
  });

  it('only config reads environment variables', () => {
    const reads = /process\.env\b|(?<!\.)\benv(\.|\?\.|\[)|\} = env\b/;
    const readers = files.filter((path) => reads.test(textOf(path)));
    expect(readers).toEqual(['src/config/config.ts']);
  });

  it('the domain and the use cases get the time and random values from their callers', () => {
    const uninjected = /\bDate\.now\b|new Date\(\)|Math\.random|randomUUID|randomBytes/;
    const inner = files.filter((path) => /^src\/(domain|usecases)\//.test(path));
    expect(inner.length).toBeGreaterThan(60);
    expect(inner.filter((path) => uninjected.test(textOf(path)))).toEqual([]);
  });
});
