import { docsGroups } from './pages.ts';
import { escapeHtml, type RenderedPage } from './render-page.ts';

interface Shell {
  readonly title: string;
  /** Slug of the shown page. */
  readonly slug: string;
  readonly content: string;
  /** Table of contents. */
  readonly contents: string;
  /** Slugs of the available pages. */
  readonly available: ReadonlySet<string>;
}

/** Returns the document of a page. All links are relative, so that a proxy may serve the site below a path. */
export function pageDocument(rendered: RenderedPage, pages: readonly RenderedPage[]): string {
  const available = new Set(pages.map(({ page }) => page.slug));
  const at = pages.indexOf(rendered);
  const step = (page: RenderedPage | undefined, label: string) =>
    page
      ? `<a href="${page.page.slug}"><span>${label}</span> ${escapeHtml(page.page.name)}</a>`
      : '<span></span>';
  return shell({
    title: rendered.title,
    slug: rendered.page.slug,
    content: `<article class="prose">
${rendered.html}</article>
<nav class="steps" aria-label="Pages before and after this one">${step(pages[at - 1], 'Before')}${step(pages[at + 1], 'Next')}</nav>`,
    contents: contentsOf(rendered),
    available,
  });
}

function contentsOf({ sections }: RenderedPage): string {
  const entries = sections.filter(({ depth }) => depth === 2);
  if (entries.length < 2) return '';
  const items = entries.map(({ id, text }) => `<li><a href="#${id}">${escapeHtml(text)}</a></li>`);
  return `<nav class="contents" aria-label="On this page"><h2>On this page</h2><ul>${items.join('')}</ul></nav>`;
}

function shell({ title, slug, content, contents, available }: Shell): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Darkroom</title>
<link rel="icon" type="image/svg+xml" href="site/icon.svg">
<link rel="stylesheet" href="site/tokens.css">
<link rel="stylesheet" href="site/docs.css">
<script src="site/theme.js"></script>
<script src="site/docs.js" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="topbar">
<a class="brand" href="start" aria-label="Darkroom documentation"><img src="site/icon.svg" alt=""><span>Darkroom</span></a>
<search class="search" hidden>
<input type="search" id="search" placeholder="Search" aria-label="Search the documentation" autocomplete="off"
 role="combobox" aria-expanded="false" aria-controls="results" aria-autocomplete="list">
<kbd aria-hidden="true">/</kbd>
<div class="results" id="results" role="listbox" aria-label="Results" hidden></div>
<p class="visually-hidden" role="status" id="search-status"></p>
</search>
<nav class="toplinks" aria-label="Service"><a href="api/">API reference</a><a href="../console">Console</a></nav>
<button class="theme" type="button" hidden>Theme</button>
</header>
<div class="frame">
<nav class="sidebar" aria-label="Documentation">${navigation(slug, available)}</nav>
<main id="main" tabindex="-1">
<details class="menu"><summary>All pages</summary>${navigation(slug, available)}</details>
${content}
</main>
<div class="aside">${contents}</div>
</div>
</body>
</html>
`;
}

function navigation(slug: string, available: ReadonlySet<string>): string {
  const link = (target: string, name: string) =>
    `<li><a href="${target}"${target === slug ? ' aria-current="page"' : ''}>${escapeHtml(name)}</a></li>`;
  return docsGroups
    .map(({ name, pages }) => {
      const links = pages
        .filter((each) => available.has(each.slug))
        .map((each) => link(each.slug, each.name));
      if (name === 'Reference') links.push(link('api/', 'API reference'));
      return `<h2>${name}</h2><ul>${links.join('')}</ul>`;
    })
    .join('');
}
