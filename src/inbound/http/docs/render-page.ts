import { posix } from 'node:path';
import { Marked, type Tokens } from 'marked';
import { type DocsPage, docsPages } from './pages.ts';

/** A heading of a page, for the table of contents. */
export interface Heading {
  readonly depth: number;
  readonly id: string;
  readonly text: string;
}

/** A part of a page below one heading, for the search. */
export interface Section extends Heading {
  /** Text of the part, without markup. */
  readonly body: string;
}

export interface RenderedPage {
  readonly page: DocsPage;
  readonly title: string;
  readonly html: string;
  readonly sections: readonly Section[];
}

/** Renders the Markdown of a page. The texts are those of the project, so they are trusted. */
export function renderPage(page: DocsPage, markdown: string): RenderedPage {
  const ids = createIds();
  const sections: (Section & { body: string })[] = [];
  const note = (text: string) => {
    const last = sections.at(-1);
    if (last) last.body += ` ${text}`;
  };
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }) {
        const html = this.parser.parseInline(tokens);
        const text = textOf(html);
        const id = ids(slugOf(text));
        sections.push({ depth, id, text, body: '' });
        if (depth === 1) return `<h1 id="${id}">${html}</h1>\n`;
        return `<h${depth} id="${id}"><a class="anchor" href="#${id}">${html}</a></h${depth}>\n`;
      },
      paragraph({ tokens }) {
        const html = this.parser.parseInline(tokens);
        note(textOf(html));
        return `<p>${html}</p>\n`;
      },
      listitem(item) {
        const html = this.parser.parse(item.tokens);
        note(textOf(html));
        return `<li>${html}</li>\n`;
      },
      link({ href, tokens }) {
        return linkOf(page, href, this.parser.parseInline(tokens));
      },
      image: ({ href, text }) => imageOf(page, href, text),
      code: ({ text, lang }) => codeBlockOf(text, lang ?? ''),
      table(table) {
        return tableOf(table, {
          inline: (tokens) => this.parser.parseInline(tokens),
          ids,
          note,
        });
      },
      html: ({ text }) => (text.startsWith('<!--') ? '' : escapeHtml(text)),
    },
  });
  const html = marked.parse(markdown, { async: false });
  return { page, title: sections[0]?.text ?? page.name, html, sections };
}

/** Returns the text of HTML, in which the renderer writes only its own markup. */
export function textOf(html: string): string {
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };
  return html
    .replace(/<\/?(a|code|em|strong)\b[^<>]*>/g, '')
    .replace(/<[^<>]*>/g, ' ')
    .replace(/&(lt|gt|quot|#39|amp);/g, (_match, name: string) => entities[name] ?? '')
    .replace(/\s+/g, ' ')
    .trim();
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (letter) => entities[letter] ?? letter);
}

/** Returns the anchor of a heading, as hosts of Git repositories make it. */
function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s+/g, '-');
}

/** Creates the function that makes ids unique in a page. */
function createIds(): (id: string) => string {
  const counts = new Map<string, number>();
  return (id) => {
    const count = counts.get(id) ?? 0;
    counts.set(id, count + 1);
    return count === 0 ? id : `${id}-${count}`;
  };
}

/** Returns a link. A link to a file that the site does not serve is its text only. */
function linkOf(page: DocsPage, href: string, html: string): string {
  if (/^(https?:|mailto:|#)/.test(href)) return `<a href="${escapeHtml(href)}">${html}</a>`;
  const [path = '', anchor] = href.split('#');
  const file = posix.join(posix.dirname(page.file), path);
  const target = docsPages.find((each) => each.file === file);
  const fragment = anchor === undefined ? '' : `#${anchor}`;
  if (target) return `<a href="${target.slug}${escapeHtml(fragment)}">${html}</a>`;
  if (file === 'openapi.yaml') return `<a href="../openapi.yaml">${html}</a>`;
  return html;
}

function imageOf(page: DocsPage, href: string, text: string): string {
  const file = posix.join(posix.dirname(page.file), href);
  const source = file.replace(/^docs\//, '');
  return `<img src="${escapeHtml(source)}" alt="${escapeHtml(text)}" loading="lazy">`;
}

const languages: Readonly<Record<string, string>> = {
  sh: 'Shell',
  ts: 'TypeScript',
  python: 'Python',
  json: 'JSON',
  go: 'Go',
};

function codeBlockOf(text: string, lang: string): string {
  const name = languages[lang] ?? '';
  const label = name === '' ? 'Code' : `${name} code`;
  const caption = name === '' ? '' : `<span class="code-language" aria-hidden="true">${name}</span>`;
  const code = `<code>${escapeHtml(text)}</code>`;
  return `<div class="code">${caption}<pre tabindex="0" role="group" aria-label="${label}">${code}</pre></div>\n`;
}

interface TableContext {
  readonly inline: (tokens: Tokens.TableCell['tokens']) => string;
  readonly ids: (id: string) => string;
  readonly note: (text: string) => void;
}

/** Returns a table. A row that begins with a name in code gets the name as its anchor: error codes and variables. */
function tableOf({ header, rows }: Tokens.Table, { inline, ids, note }: TableContext): string {
  const cell = (tag: string, html: string) => `<${tag}>${html}</${tag}>`;
  const head = header.map(({ tokens }) => `<th scope="col">${inline(tokens)}</th>`).join('');
  const body = rows.map((row) => {
    const cells = row.map(({ tokens }) => inline(tokens));
    note(textOf(cells.join(' ')));
    const name = /^<code>(\w+)<\/code>$/.exec(cells[0] ?? '')?.[1];
    const id = name === undefined ? '' : ` id="${ids(name)}"`;
    return `<tr${id}>${cells.map((html) => cell('td', html)).join('')}</tr>`;
  });
  return `<div class="table-scroll" tabindex="0" role="group" aria-label="Table">
<table><thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody></table></div>
`;
}
