import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = new URL('../..', import.meta.url).pathname;
const compiler = join(root, 'node_modules/typescript/bin/tsc');

/** The service as it is now, compiled: its processes start fast, and later edits of the sources do not reach them. */
export interface CompiledService {
  /** Folder of `main.js` and `health-check.js`. */
  readonly folder: string;
  remove(): Promise<void>;
}

/** Compiles the sources without a type check into a new folder below node_modules, so that packages are found. */
export async function compileService(): Promise<CompiledService> {
  const cache = join(root, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const target = await mkdtemp(join(cache, 'darkroom-service-'));
  const folder = join(target, 'src');
  const options = ['--project', join(root, 'tsconfig.build.json'), '--outDir', target];
  await promisify(execFile)(process.execPath, [compiler, ...options, '--noCheck', '--sourceMap', 'false']);
  await cp(join(root, 'src/data'), join(folder, 'data'), { recursive: true });
  await cp(join(root, 'package.json'), join(target, 'package.json'));
  return { folder, remove: () => rm(target, { recursive: true, force: true }) };
}
