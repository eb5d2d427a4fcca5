import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { errorCodes } from '../../../../../src/domain/errors.ts';
import { loadSite, type Site } from '../../../../../src/inbound/http/docs/load-site.ts';
import { docsPages } from '../../../../../src/inbound/http/docs/pages.ts';
import { renderPage } from '../../../../../src/inbound/http/docs/render-page.ts';

let site: Site;
beforeAll(async () => {
  site = await loadSite();
});

const textOf = (path: string) => site.get(path)?.body.toString() ?? '';
const pagesOf = (all: Site) => [...all.keys()].filter((path) => !/[./]/.test(path));
const found = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, each = '']) => each);

describe('the documentation site', () => {
  it('every file of docs is one page of the site, and no address or source is listed twice', () => {
    const files = readdirSync(new URL('../../../../../docs', import.meta.url)).filter((name) =>
      name.endsWith('.md'),
    );
    const listed = docsPages.map(({ file }) => file);
    expect(listed).toEqual(expect.arrayContaining(files.map((name) => `docs/${name}`)));
    expect(new Set(listed).size).toBe(listed.length);
    expect(new Set(docsPages.map(({ slug }) => slug)).size).toBe(listed.length);
  });

  it('every guide is a page, and every page has one main heading', () => {
    expect(pagesOf(site)).toEqual(
      expect.arrayContaining(['start', 'recipes', 'errors', 'webhooks', 'python']),
    );
    for (const path of pagesOf(site)) expect(found(textOf(path), /<(h1)\b/g), path).toHaveLength(1);
  });

  it('every link leads to a page, an anchor or a file that exists', () => {
    const served = new Set([...site.keys(), 'api/', '../console', '../openapi.yaml']);
    const broken = pagesOf(site).flatMap((path) =>
      found(textOf(path), /(?:href|src)="([^"]*)"/g)
        .filter((link) => !/^https?:/.test(link))
        .filter((link) => {
          const [target = '', anchor] = link.split('#');
          const isServed = target === '' || served.has(target);
          return !isServed || (anchor && !textOf(target || path).includes(` id="${anchor}"`));
        })
        .map((link) => `${path}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  it('every page is also served as Markdown', () => {
    for (const path of pagesOf(site)) expect(textOf(`${path}.md`)).toMatch(/^# /);
    expect(site.get('start.md')?.contentType).toContain('text/markdown');
  });

  it('the site has the colors and sizes of the console', () => {
    const console = readFileSync(
      new URL('../../../../../console/styles/tokens.css', import.meta.url),
      'utf8',
    );
    expect(textOf('site/tokens.css')).toBe(console);
  });

  it('every error code has an anchor, and ids are unique', () => {
    for (const code of errorCodes) expect(textOf('errors')).toContain(`<tr id="${code}">`);
    for (const path of pagesOf(site)) {
      const ids = found(textOf(path), / id="([^"]+)"/g);
      expect(ids, path).toEqual([...new Set(ids)]);
    }
  });

  it('pages have no inline code, no inline style and no file of another origin', () => {
    for (const path of pagesOf(site)) {
      const html = textOf(path);
      expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+="/);
      expect(html).not.toMatch(/(?:src|<link[^>]*href)="https?:/);
    }
  });

  it('the search index finds headings, variables and codes with their page and anchor', () => {
    const index: string[][] = JSON.parse(textOf('search.json'));
    const withText = (text: string) => index.filter((section) => section[4]?.includes(text));
    expect(withText('REDIS_URL').map(([page]) => page)).toContain('Configuration');
    expect(withText('moderation_blocked').map(([, slug]) => slug)).toContain('errors');
    expect(index).toContainEqual(['Webhooks', 'webhooks', 'verify', 'Verify', expect.any(String)]);
  });

  it('a page escapes the text of code, and shows links to files that it does not serve as text', () => {
    const page = docsPages.find(({ slug }) => slug === 'errors') ?? { slug: '', file: '', name: '' };
    const { html } = renderPage(
      page,
      '# A\n\n`<b>` [code](../src/main.ts) [keys](keys.md#tenants)\n\n```sh\na && b\n```\n',
    );
    expect(html).toContain('<code>&lt;b&gt;</code> code <a href="keys#tenants">keys</a>');
    expect(html).toContain('a &amp;&amp; b');
  });
});
