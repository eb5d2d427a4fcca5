import { check } from 'recheck';
import ts from 'typescript6';
import { describe, expect, it } from 'vitest';
import { syntaxTreeOf, typescriptFiles, visitNodes } from '../../scripts/language/source-files.ts';
import type { Phrasebook } from '../../src/local/studio/describe/phrasebook.ts';
import * as eastAsian from '../../src/local/studio/describe/phrases-east-asian.ts';

interface Pattern {
  readonly at: string;
  readonly source: string;
  readonly flags: string;
}

function literalsOf(path: string): Pattern[] {
  const tree = syntaxTreeOf(path);
  const found: Pattern[] = [];
  visitNodes(tree, (node) => {
    if (!ts.isRegularExpressionLiteral(node)) return;
    const end = node.text.lastIndexOf('/');
    const line = tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    found.push({ at: `${path}:${line}`, source: node.text.slice(1, end), flags: node.text.slice(end + 1) });
  });
  return found;
}

/** Returns the patterns that are built from parts at startup. */
const builtPatterns = (Object.entries(eastAsian) as [string, Phrasebook][]).flatMap(([name, phrases]) =>
  [phrases.noun, phrases.verb, phrases.tail].flatMap((pattern) =>
    pattern ? [{ at: name, source: pattern.source, flags: pattern.flags }] : [],
  ),
);

/** Steps decide and not times, which depend on the load of the machine. A linear pattern needs a few million at most. */
const limits = { timeout: 60_000, incubationTimeout: null, attackTimeout: null, attackLimit: 100_000_000 };

describe('regular expressions', () => {
  it('every pattern of the sources matches in linear time', { timeout: 300_000 }, async () => {
    const literals = typescriptFiles.filter((path) => path.startsWith('src/')).flatMap(literalsOf);
    expect(literals.length).toBeGreaterThan(150);
    const waiting = [...literals, ...builtPatterns];
    const slow: string[] = [];
    const work = async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        const { status } = await check(next.source, next.flags, limits);
        if (status !== 'safe') slow.push(`${next.at}: ${status}`);
      }
    };
    await Promise.all([work(), work()]);
    expect(slow).toEqual([]);
  });
});
