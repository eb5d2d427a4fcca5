import { readFileSync } from 'node:fs';
import { CatalogueFile } from '../src/domain/catalogue-file.ts';
import { outputTokens } from '../src/domain/cost.ts';

const qualities = ['low', 'medium', 'high', 'xhigh', 'max'];
const begin = '<!-- models: written by npm run docs from src/data/catalogue.json -->\n';
const end = '<!-- /models -->\n';

/** Both languages of the README. */
export const readmes = ['README.md', 'README.zh-CN.md'] as const;

/** Returns a README with a fresh table of models and prices. */
export function readmeWithModels(name: (typeof readmes)[number]): string {
  const readme = readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
  const [before, rest = ''] = readme.split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`${name} has no section of models`);
  return before + begin + modelTable() + end + after;
}

/** Returns a table of the current models with the price in USD of one image of 1024x1024, by quality. */
function modelTable(): string {
  const file = readFileSync(new URL('../src/data/catalogue.json', import.meta.url), 'utf8');
  const current = CatalogueFile.parse(JSON.parse(file)).models.filter(({ status }) => status === 'current');
  const rows = current.map(({ id, prices, token_factors }) => {
    const cells = qualities.map((quality) => {
      const factor = token_factors?.[quality];
      if (!prices || factor === undefined) return '';
      return ((outputTokens(factor, 1024, 1024) * prices.image_out) / 1_000_000).toFixed(3);
    });
    return `| \`${id}\` | ${cells.join(' | ')} |\n`;
  });
  return `| model | ${qualities.join(' | ')} |\n|---|${'---|'.repeat(qualities.length)}\n${rows.join('')}`;
}
