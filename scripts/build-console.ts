/** Writes the console into dist/src/console, from which the service serves it in production. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleConsole } from '../console/bundle.ts';

const target = 'dist/src/console';
rmSync(target, { recursive: true, force: true });
for (const [path, bytes] of await bundleConsole()) {
  const file = join(target, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}
