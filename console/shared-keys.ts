import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Plugin, transform } from 'esbuild';

type Texts = Readonly<Record<string, unknown>>;

/**
 * Bundles the Chinese tables of texts as lists of values in the order of the English keys, because both tables have the same
 * keys. The keys are then in the bundle once.
 */
export const sharedKeys: Plugin = {
  name: 'shared-keys',
  setup({ onLoad }) {
    onLoad({ filter: /\/strings\/zh\/\w+\.ts$/ }, async ({ path }) => {
      const englishPath = path.replace(/\/zh\/(?=\w+\.ts$)/, '/en/');
      const [name, chinese] = await readTexts(path);
      const [, english] = await readTexts(englishPath);
      const values = Object.keys(english).map((key) => chinese[key]);
      const contents = `
        import { ${name} as en } from '../en/${basename(path)}';
        const values = ${JSON.stringify(values)};
        export const ${name} = /* @__PURE__ */ Object.fromEntries(Object.keys(en).map((key, i) => [key, values[i]]));`;
      return { contents, loader: 'js', watchFiles: [path, englishPath] };
    });
  },
};

/** Returns the name and the texts of a table. The file is evaluated again at each call, because it may have changed. */
async function readTexts(path: string): Promise<[name: string, texts: Texts]> {
  const { code } = await transform(await readFile(path, 'utf8'), { loader: 'ts', format: 'esm' });
  const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as Record<string, Texts>;
  const [table] = Object.entries(module);
  if (!table) throw new Error(`${path} exports no table of texts`);
  return table;
}
