import { describe, expect, it } from 'vitest';
import { textOf } from '../../scripts/language/source-files.ts';

const [english, chinese] = ['README.md', 'README.zh-CN.md'].map(textOf) as [string, string];

const codeBlock = /^```[\s\S]*?^```$/gm;
const all = (text: string, pattern: RegExp) => text.match(pattern) ?? [];
const prose = (text: string) => text.replace(codeBlock, '');
const levels = (text: string) => all(prose(text), /^#+(?= )/gm);

/** Returns the sections of a page: their links, the length of their tables and lists, and their terms in code. */
function shapeOf(text: string) {
  return prose(text)
    .split(/^#+ .*$/m)
    .map((section) => ({
      links: Array.from(section.matchAll(/\]\(([^)]+)\)/g), ([, target = '']) => target)
        .filter((target) => !target.startsWith('README'))
        .sort(),
      rows: all(section, /^\|/gm).length,
      items: all(section, /^- /gm).length,
      terms: [...new Set(all(section, /`[^`\n]+`/g))].sort(),
    }));
}

describe('translations', () => {
  it('README.zh-CN.md has the headings and the code blocks of README.md', () => {
    expect(levels(chinese)).toEqual(levels(english));
    expect(all(chinese, codeBlock)).toEqual(all(english, codeBlock));
  });

  it('every section of README.zh-CN.md has the links, tables, lists and terms of README.md', () => {
    expect(shapeOf(chinese)).toEqual(shapeOf(english));
  });

  it('both languages link to each other', () => {
    expect(english).toContain('](README.zh-CN.md)');
    expect(chinese).toContain('](README.md)');
  });
});
