import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript6';

const root = new URL('../../..', import.meta.url).pathname;
const sources = join(root, 'src');

/** The service as it is now, compiled, so that its processes start fast and no edit reaches them half-way. */
export interface CompiledService {
  /** The program, for Node. */
  readonly program: string;
  remove(): void;
}

/** Compiles the sources, without checking them, into a folder of its own from which packages are found. */
export function compileService(): CompiledService {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const target = mkdtempSync(join(cache, 'darkroom-chaos-'));
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(sources, file));
  const outDir = join(target, 'src');
  // Nothing but these files is read: types of packages would cost most of the time and leave no trace in the output.
  const program = ts.createProgram(files, {
    ...options,
    noEmit: false,
    noCheck: true,
    noResolve: true,
    noLib: true,
    types: [],
    rootDir: sources,
    outDir,
  });
  program.emit();
  cpSync(join(sources, 'data'), join(outDir, 'data'), { recursive: true });
  cpSync(join(root, 'package.json'), join(target, 'package.json'));
  return {
    program: join(outDir, 'main.js'),
    remove: () => rmSync(target, { recursive: true, force: true }),
  };
}
