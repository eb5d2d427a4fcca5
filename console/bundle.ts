import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { sharedKeys } from './shared-keys.ts';

const folder = new URL('.', import.meta.url).pathname;
/** Address of the files on the server. */
const base = '/console/';

/** Bytes of the files of the console, by their path below `/console/`. */
export type ConsoleFiles = ReadonlyMap<string, Uint8Array>;

/**
 * Bundles the console in memory. Names of assets contain a hash of their content, so that browsers may cache them without
 * end. `index.html` names them.
 */
export async function bundleConsole(): Promise<ConsoleFiles> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    entryPoints: { main: 'src/main.tsx', theme: 'src/theme.ts', styles: 'styles/index.css' },
    outdir: 'out',
    entryNames: 'assets/[name]-[hash]',
    chunkNames: 'assets/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
    plugins: [sharedKeys],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const files = new Map<string, Uint8Array>();
  for (const { path, contents } of outputFiles) files.set(relative(join(folder, 'out'), path), contents);
  const icon = await readFile(join(folder, 'icon.svg'));
  const iconPath = `assets/icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`;
  files.set(iconPath, icon);
  files.set('index.html', await renderIndex(metafile, iconPath));
  return files;
}

/** Returns `index.html` with the addresses of the assets. */
async function renderIndex(metafile: Metafile, icon: string): Promise<Uint8Array> {
  const outputs = Object.entries(metafile.outputs).map(([path, output]) => ({
    path: path.replace(/^out\//, base),
    ...output,
  }));
  const entry = (source: string) => outputs.find(({ entryPoint }) => entryPoint === source);
  const main = entry('src/main.tsx');
  // Chunks that the program always needs, so that browsers request them together with it.
  const preloads = (main?.imports ?? [])
    .filter(({ kind }) => kind === 'import-statement')
    .map(({ path }) => `<link rel="modulepreload" href="${path.replace(/^out\//, base)}">`);
  const values: Record<string, string> = {
    main: main?.path ?? '',
    theme: entry('src/theme.ts')?.path ?? '',
    styles: entry('styles/index.css')?.path ?? '',
    icon: base + icon,
    preloads: preloads.join('\n    '),
  };
  const template = await readFile(join(folder, 'index.html'), 'utf8');
  return Buffer.from(template.replace(/\{\{(\w+)\}\}/g, (mark, name: string) => values[name] ?? mark));
}

/** Returns the time of the latest change of the sources, in milliseconds. */
export async function latestChangeOfConsole(): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const times = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mtimeMs));
  return Math.max(...times);
}
