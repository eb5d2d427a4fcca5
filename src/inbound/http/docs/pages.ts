/** A page of the documentation site. */
export interface DocsPage {
  /** Last part of the address: `/docs/SLUG`. */
  readonly slug: string;
  /** Source, relative to the project. */
  readonly file: string;
  /** Name in the navigation. */
  readonly name: string;
}

export interface DocsGroup {
  readonly name: string;
  readonly pages: readonly DocsPage[];
}

const page = (slug: string, name: string, file = `docs/${slug}.md`): DocsPage => ({ slug, name, file });

/** All pages by group. A page without its source is left out, such as in a container image without examples. */
export const docsGroups: readonly DocsGroup[] = [
  {
    name: 'Start',
    pages: [
      page('start', 'First image'),
      page('recipes', 'Recipes'),
      page('python', 'Python client', 'clients/python/README.md'),
      page('typescript', 'TypeScript client', 'clients/typescript/README.md'),
      page('studio', 'Offline images'),
      page('console', 'Web console'),
    ],
  },
  {
    name: 'Guides',
    pages: [
      page('edits', 'Edits'),
      page('webhooks', 'Webhooks'),
      page('keys', 'Keys and tenants'),
      page('money', 'Budgets'),
      page('usage', 'Usage and bills'),
      page('openai-compatible', 'OpenAI clients'),
      page('switch', 'Switch in one line', 'examples/switch/README.md'),
      page('agents', 'Agents'),
      page('cli', 'Command line'),
    ],
  },
  {
    name: 'Operate',
    pages: [
      page('operating', 'Operating'),
      page('configuration', 'Configuration'),
      page('models', 'Models and presets'),
      page('guarantees', 'Guarantees'),
      page('security', 'Security', 'SECURITY.md'),
    ],
  },
  {
    name: 'Reference',
    pages: [
      page('errors', 'Errors'),
      page('glossary', 'Glossary'),
      page('changelog', 'Changelog', 'CHANGELOG.md'),
    ],
  },
];

/** All pages in the order of the navigation. */
export const docsPages: readonly DocsPage[] = docsGroups.flatMap(({ pages }) => pages);
