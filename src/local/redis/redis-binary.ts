import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

/** A server program that was run once to ask for its version. */
export interface RedisBinary {
  path: string;
  flavour: 'redis' | 'valkey';
  /** Three numbers, as the program says them. */
  version: string;
  /** REDIS_SERVER_BIN, the PATH, or the copy in the cache folder. */
  source: 'setting' | 'path' | 'cache';
  /** Folders for LD_LIBRARY_PATH; set for a copy in the cache folder only. */
  libraryPath?: string;
}

/** The oldest server accepted. Redis 5 does not know the protocol (RESP3) the clients speak. */
export const oldestVersion = '6.0.0';

/** What `redis-server --version` or `valkey-server --version` says, or undefined for anything else. */
export function parseServerVersion(output: string): Pick<RedisBinary, 'flavour' | 'version'> | undefined {
  const match = /^(redis|valkey) server v=(\d+\.\d+\.\d+)/im.exec(output);
  if (!match?.[1] || !match[2]) return undefined;
  return { flavour: match[1].toLowerCase() === 'valkey' ? 'valkey' : 'redis', version: match[2] };
}

/** True when `version` is `least` or newer; both are three numbers. */
export function isAtLeast(version: string, least: string): boolean {
  const [have, want] = [version, least].map((text) => text.split('.').map(Number));
  for (const [index, wanted] of (want ?? []).entries()) {
    const difference = (have?.[index] ?? 0) - wanted;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Runs the program's `--version`. A string answer says why it is of no use. */
export async function inspectBinary(
  path: string,
  source: RedisBinary['source'],
  libraryPath?: string,
): Promise<RedisBinary | string> {
  const env = serverEnvironment(libraryPath);
  const result = await runProgram(path, ['--version'], { timeoutMs: 10_000, env });
  const parsed = parseServerVersion(result.stdout);
  if (!parsed) {
    const said = (result.stderr || result.stdout).trim().split('\n').at(-1) ?? '';
    return `it does not run as a Redis or Valkey server${said === '' ? '' : `: ${said.slice(0, 200)}`}`;
  }
  if (!isAtLeast(parsed.version, oldestVersion))
    return `version ${parsed.version} is older than ${oldestVersion}`;
  return { path, source, ...parsed, ...(libraryPath === undefined ? {} : { libraryPath }) };
}

/** The server in an unpacked copy below `root`, if it has one and it runs. */
export async function inspectUnpacked(root: string): Promise<RedisBinary | string> {
  const libraries = [join(root, 'usr', 'lib'), join(root, 'lib')];
  for (const folder of [...libraries]) {
    const inside = await readdir(folder, { withFileTypes: true }).catch(() => []);
    // Debian keeps libraries one folder deeper, named for the machine: usr/lib/x86_64-linux-gnu.
    const perMachine = inside.filter((entry) => entry.isDirectory() && entry.name.includes('-linux-'));
    libraries.push(...perMachine.map((entry) => join(folder, entry.name)));
  }
  return inspectBinary(join(root, 'usr', 'bin', 'redis-server'), 'cache', libraries.join(':'));
}

/** The whole environment a server is started with: none of this process' settings and secrets. */
export function serverEnvironment(libraryPath?: string): Record<string, string> {
  return { LC_ALL: 'C', ...(libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath }) };
}
