import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * Compiles the service and the benchmarks as `npm run build` would, and runs the result. The benchmark therefore
 * measures the code that is deployed, and edits during a run have no effect. The copy is below `node_modules`, so that
 * packages are found. It is removed at the end.
 */
const root = fileURLToPath(new URL('..', import.meta.url));

function build(): string {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const target = mkdtempSync(join(cache, 'darkroom-bench-'));
  // The package exports no path to its program.
  const compiler = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');
  const { status } = spawnSync(
    process.execPath,
    [compiler, '-p', join(root, 'bench', 'tsconfig.json'), '--outDir', target],
    { stdio: 'inherit' },
  );
  if (status !== 0) throw new Error('The benchmarks could not be compiled; see above.');
  cpSync(join(root, 'src', 'data'), join(target, 'src', 'data'), { recursive: true });
  cpSync(join(root, 'bench', 'gateway'), join(target, 'bench', 'gateway'), { recursive: true });
  copyFileSync(join(root, 'package.json'), join(target, 'package.json'));
  return target;
}

/** Folder of CPU profiles, from `--profile FOLDER`. Every process writes a profile there. */
function profiling(): string[] {
  const { profile } = parseArgs({ strict: false, options: { profile: { type: 'string' } } }).values;
  return typeof profile === 'string' ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
}

const built = build();
// Ctrl-C also reaches the child, which closes everything it started. This process continues until it has cleaned up.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
try {
  const main = join(built, 'bench', 'main.js');
  const child = spawn(process.execPath, [...profiling(), main, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  rmSync(built, { recursive: true, force: true });
}
