import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { sharedKeys } from '../../../console/shared-keys.ts';
import { createTranslate, preferredLanguage, type Strings } from '../../../console/src/lib/i18n.ts';

const folder = new URL('../../../console/src/strings/', import.meta.url).pathname;
const files = readdirSync(join(folder, 'en'));

async function stringsOf(language: 'en' | 'zh', file: string): Promise<Strings> {
  const module = (await import(join(folder, language, file))) as Record<string, Strings>;
  const [strings] = Object.values(module);
  if (!strings) throw new Error(`${file} exports nothing`);
  return strings;
}

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe('the texts of the console', () => {
  it('every file of English texts has a file of Chinese texts', () => {
    expect(readdirSync(join(folder, 'zh'))).toEqual(files);
  });

  it.each(files)(
    'the Chinese texts of %s have the keys and the placeholders of the English texts',
    async (file) => {
      const en = await stringsOf('en', file);
      const zh = await stringsOf('zh', file);
      expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
      for (const [key, text] of Object.entries(en)) {
        const other = zh[key] ?? '';
        const shown = (each: typeof text) => (typeof each === 'string' ? each : each.other);
        expect({ key, placeholders: placeholders(shown(other)) }).toEqual({
          key,
          placeholders: placeholders(shown(text)),
        });
      }
    },
  );

  it.each(files)(
    'the bundle has the Chinese texts of %s with their keys, and each key once',
    async (file) => {
      const { outputFiles } = await build({
        entryPoints: [join(folder, 'zh', file)],
        plugins: [sharedKeys],
        bundle: true,
        format: 'esm',
        write: false,
      });
      const code = outputFiles[0]?.text ?? '';
      const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as Record<
        string,
        Strings
      >;
      const zh = await stringsOf('zh', file);
      expect(Object.values(module)).toEqual([zh]);
      for (const key of Object.keys(zh))
        expect(code.split(`\n  ${JSON.stringify(key)}: `).length).toBeLessThan(3);
    },
  );

  it('the count selects the plural form and is formatted for the language', () => {
    const table = {
      en: { jobs: { one: '{count} job', other: '{count} jobs' } },
      zh: { jobs: { other: '{count} 个任务' } },
    };
    expect(createTranslate(table, 'en')('jobs', { count: 1 })).toBe('1 job');
    expect(createTranslate(table, 'en')('jobs', { count: 1200 })).toBe('1,200 jobs');
    expect(createTranslate(table, 'zh-Hans')('jobs', { count: 1 })).toBe('1 个任务');
  });

  it('a placeholder may hold an element', () => {
    const table = { en: { missing: 'The scope {scope} is missing.' }, zh: { missing: '缺少 {scope}。' } };
    const parts = createTranslate(table, 'en').rich('missing', { scope: 'admin' });
    expect(parts).toEqual(['The scope ', 'admin', ' is missing.']);
  });

  it('the first known language of the browser is used, otherwise English', () => {
    expect(preferredLanguage(['fr', 'zh-TW', 'en'])).toBe('zh-Hans');
    expect(preferredLanguage(['fr'])).toBe('en');
  });
});
