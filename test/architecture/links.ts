import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, textOf, trackedFiles } from '../../scripts/language/source-files.ts';

const pages = trackedFiles.filter((path) => path.endsWith('.md'));

function all(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, found]) => found ?? '');
}

/** Returns the paths that a page links to or names in code. */
function targetsOf(page: string): string[] {
  const text = textOf(page);
  const linked = all(text, /\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g);
  const named = all(text, /`((?:src|test|bench|docs|scripts|examples|deploy)\/[\w./-]+)`/g);
  return [...linked.map((target) => join(dirname(page), target)), ...named];
}

describe('pages', () => {
  it('every path that a page links to or names exists', () => {
    expect(pages).toContain('README.md');
    const broken = pages.flatMap((page) =>
      targetsOf(page)
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });
});
