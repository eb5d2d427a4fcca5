// Runs test files on another major version of Node, by default the unit, contract and client tests.
//
//   node scripts/test-on-node.mjs 24 [vitest arguments]
//
// The npm package `node` contains the binary. It is installed into the user's cache, outside the project, because its
// version must not become a dependency.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [major = '', ...rest] = process.argv.slice(2);
if (!/^\d+$/.test(major)) fail('Usage: node scripts/test-on-node.mjs <major version> [vitest arguments]');

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'darkroom');
const folder = join(cache, `node-${major}`);
const bin = join(folder, 'node_modules', 'node', 'bin');

if (!existsSync(join(bin, 'node'))) {
  mkdirSync(folder, { recursive: true });
  // The preinstall script of the package fetches the binary of this platform.
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "allowScripts": { "node": true } }\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts=false', `node@${major}`], {
    cwd: folder,
  });
}

const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
const tests =
  rest.length > 0
    ? rest
    : ['test/unit', 'test/contract', 'test/e2e/clients/typescript-', 'test/slow/clients/typescript-'];
run(join(bin, 'node'), ['--version'], { cwd: root, env });
run(join(bin, 'node'), [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...tests], { cwd: root, env });

function run(program, args, options) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', ...options });
  if (error) fail(`${program} cannot be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
