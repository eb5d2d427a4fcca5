import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textOf, typescriptFiles } from '../../scripts/language/source-files.ts';

interface Registry {
  /** The file with the list. */
  readonly list: string;
  /** The files that are entries of the list. */
  readonly entries: RegExp;
}

const registries: readonly (readonly [name: string, registry: Registry])[] = [
  [
    'route',
    {
      list: 'src/inbound/http/routes/index.ts',
      entries: /^src\/inbound\/http\/routes\/([^/]+\.ts|[^/]+\/index\.ts)$/,
    },
  ],
  [
    'webhook route',
    {
      list: 'src/inbound/http/routes/webhooks/index.ts',
      entries: /^src\/inbound\/http\/routes\/webhooks\/[^/]+\.ts$/,
    },
  ],
  [
    'chaos scenario',
    { list: 'test/chaos/scenarios/index.ts', entries: /^test\/chaos\/scenarios\/(?!hurt)[^/]+\.ts$/ },
  ],
];

function importedFiles(path: string): string[] {
  return Array.from(textOf(path).matchAll(/from '(\.[^']+)'/g), ([, specifier]) =>
    normalize(join(dirname(path), specifier ?? '')),
  );
}

describe('registries', () => {
  it.each(registries)('every %s is one file that its list names', (_name, { list, entries }) => {
    const files = typescriptFiles.filter((path) => entries.test(path) && path !== list);
    expect(files.length).toBeGreaterThan(5);
    const listed = importedFiles(list);
    expect(files.filter((path) => !listed.includes(path))).toEqual([]);
  });
});
