import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript6';

/** Absolute path of the project, with a trailing slash. */
export const root = new URL('../..', import.meta.url).pathname;

/** Code that a generator wrote. The rules of the project do not apply to it. */
const generated = /^clients\/typescript\/src\/generated\//;

/** Paths of the files that Git tracks or would track, relative to the project. */
export const trackedFiles: readonly string[] = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard'],
  { cwd: root, encoding: 'utf8' },
)
  .split('\n')
  .filter((path) => path !== '' && !generated.test(path) && existsSync(join(root, path)));

/** Paths of the TypeScript programs. */
export const typescriptFiles: readonly string[] = trackedFiles.filter((path) => /\.tsx?$/.test(path));

/** Returns the text of a file. */
export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

const parsed = new Map<string, ts.SourceFile>();

/** Returns the syntax tree of a TypeScript file. Each file is parsed once. */
export function syntaxTreeOf(path: string): ts.SourceFile {
  const known = parsed.get(path);
  if (known) return known;
  const tree = ts.createSourceFile(path, textOf(path), ts.ScriptTarget.Latest, true);
  parsed.set(path, tree);
  return tree;
}

/** Calls a function for every node of a syntax tree, parents first. */
export function visitNodes(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => visitNodes(child, visit));
}
