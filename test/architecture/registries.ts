import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textOf, typescriptFiles } from '../../scripts/language/source-files.ts';

interface Registry {
  readonly name: string;
  /** The file with the list. */
  readonly list: string;
  /** Paths of the entries. */
  readonly entries: RegExp;
  /** Text of every entry, if the path does not distinguish entries from other files. */
  readonly containing?: RegExp;
}

const registries: readonly Registry[] = [
  {
    name: 'route',
    list: 'src/inbound/http/routes/index.ts',
    entries: /^src\/inbound\/http\/routes\/([^/]+\.ts|[^/]+\/index\.ts)$/,
  },
  {
    name: 'webhook route',
    list: 'src/inbound/http/routes/webhooks/index.ts',
    entries: /^src\/inbound\/http\/routes\/webhooks\/[^/]+\.ts$/,
  },
  {
    name: 'command',
    list: 'src/inbound/cli/program.ts',
    entries: /^src\/inbound\/cli\/[^/]+\.ts$/,
    containing: /^export function add[A-Z]\w*\(program: Command/m,
  },
  {
    name: 'storage',
    list: 'src/outbound/storage/registry.ts',
    entries: /^src\/outbound\/storage\/([^/]+)\/\1\.ts$/,
  },
  {
    name: 'provider',
    list: 'src/outbound/providers/registry.ts',
    entries: /^src\/outbound\/providers\/([^/]+)\/\1\.ts$/,
  },
  {
    name: 'chaos scenario',
    list: 'test/chaos/scenarios/index.ts',
    entries: /^test\/chaos\/scenarios\/(?!hurt)[^/]+\.ts$/,
  },
];

function importedFiles(path: string): string[] {
  return Array.from(textOf(path).matchAll(/from '(\.[^']+)'/g), ([, specifier]) =>
    normalize(join(dirname(path), specifier ?? '')),
  );
}

describe('registries', () => {
  it.each(registries)('every $name is one file that its list names', ({ list, entries, containing }) => {
    const files = typescriptFiles
      .filter((path) => entries.test(path) && path !== list)
      .filter((path) => containing === undefined || containing.test(textOf(path)));
    expect(files.length).toBeGreaterThan(1);
    const listed = importedFiles(list);
    expect(files.filter((path) => !listed.includes(path))).toEqual([]);
  });
});
