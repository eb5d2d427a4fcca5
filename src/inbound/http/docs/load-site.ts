import { createHash } from 'node:crypto';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../../lib/project-root.ts';
import { type DocsPage, docsPages } from './pages.ts';
import type { RenderedPage } from './render-page.ts';

const project = projectRoot.pathname;

/** A file of the site, ready to send. */
export interface SiteFile {
  readonly body: Buffer;
  readonly contentType: string;
  readonly etag: string;
}

/** Files of the site by their path below `/docs/`. */
export type Site = ReadonlyMap<string, SiteFile>;

const contentTypes: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
};

/** Renders all pages and reads their assets. Imports the Markdown library on demand, because few processes need it. */
export async function loadSite(): Promise<Site> {
  const [{ renderPage }, { pageDocument }] = await Promise.all([
    import('./render-page.ts'),
    import('./layout.ts'),
  ]);
  const site = new Map<string, SiteFile>();
  const pages: RenderedPage[] = [];
  for (const page of docsPages) {
    const markdown = await readFile(join(project, page.file), 'utf8').catch(missing);
    if (markdown === undefined) continue;
    pages.push(renderPage(page, markdown));
    // Language models read the source.
    site.set(`${page.slug}.md`, fileOf(markdown, 'text/markdown; charset=utf-8'));
  }
  for (const rendered of pages) {
    site.set(rendered.page.slug, fileOf(pageDocument(rendered, pages), 'text/html; charset=utf-8'));
  }
  site.set('search.json', fileOf(JSON.stringify(searchIndex(pages)), 'application/json; charset=utf-8'));
  for (const folder of ['site', 'images']) await addAssets(site, folder);
  return site;
}

/** Returns the pages whose sources exist. */
export async function availablePages(): Promise<DocsPage[]> {
  const found: DocsPage[] = [];
  for (const page of docsPages) {
    await access(join(project, page.file)).then(() => found.push(page), missing);
  }
  return found;
}

/** Reads the assets of a folder of `docs`. */
async function addAssets(site: Map<string, SiteFile>, folder: string): Promise<void> {
  const names = (await readdir(join(project, 'docs', folder)).catch(missing)) ?? [];
  for (const name of names) {
    const contentType = contentTypes[name.split('.').at(-1) ?? ''];
    if (contentType === undefined) continue;
    site.set(`${folder}/${name}`, fileOf(await readFile(join(project, 'docs', folder, name)), contentType));
  }
}

/** Returns `undefined` for a missing file. */
function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function fileOf(content: string | Buffer, contentType: string): SiteFile {
  const body = Buffer.from(content);
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return { body, contentType, etag: `"${digest}"` };
}

/** Returns the sections of all pages: page name, slug, anchor, heading and text. */
function searchIndex(pages: readonly RenderedPage[]): [string, string, string, string, string][] {
  return pages.flatMap(({ page, sections }) =>
    sections.map(({ id, text, body }): [string, string, string, string, string] => [
      page.name,
      page.slug,
      id,
      text,
      body.trim(),
    ]),
  );
}
