import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

/** A server program whose version is known. */
export interface RedisBinary {
  path: string;
  flavor: 'redis' | 'valkey';
  /** Three numbers, as the program prints them. */
  version: string;
  /** REDIS_SERVER_BIN, the PATH, or the copy in the cache folder. */
  source: 'setting' | 'path' | 'cache';
  /** Folders for LD_LIBRARY_PATH. Set only for a copy in the cache folder. */
  libraryPath?: string;
}

/** Oldest accepted server. Redis 5 lacks RESP3, the protocol of the client. */
export const oldestVersion = '6.0.0';

/** Reads the output of `redis-server --version` or `valkey-server --version`. Returns undefined for anything else. */
export function parseServerVersion(output: string): Pick<RedisBinary, 'flavor' | 'version'> | undefined {
  const match = /^(redis|valkey) server v=(\d+\.\d+\.\d+)/im.exec(output);
  if (!match?.[1] || !match[2]) return undefined;
  return { flavor: match[1].toLowerCase() === 'valkey' ? 'valkey' : 'redis', version: match[2] };
}

/** Returns true if `version` is `least` or newer. Both are three numbers. */
export function isAtLeast(version: string, least: string): boolean {
  const [have, want] = [version, least].map((text) => text.split('.').map(Number));
  for (const [index, wanted] of (want ?? []).entries()) {
    const difference = (have?.[index] ?? 0) - wanted;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Runs the program with `--version`. Returns the reason as a string if the program is unusable. */
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

/** Inspects the server of an unpacked copy below `root`. Returns the reason as a string if it is unusable. */
export async function inspectUnpacked(root: string): Promise<RedisBinary | string> {
  const libraries = [join(root, 'usr', 'lib'), join(root, 'lib')];
  for (const folder of [...libraries]) {
    const inside = await readdir(folder, { withFileTypes: true }).catch(() => []);
    // Debian puts libraries into a folder per architecture: usr/lib/x86_64-linux-gnu.
    const perMachine = inside.filter((entry) => entry.isDirectory() && entry.name.includes('-linux-'));
    libraries.push(...perMachine.map((entry) => join(folder, entry.name)));
  }
  return inspectBinary(join(root, 'usr', 'bin', 'redis-server'), 'cache', libraries.join(':'));
}

/** Returns the whole environment of a server. It contains none of the settings and secrets of this process. */
export function serverEnvironment(libraryPath?: string): Record<string, string> {
  return { LC_ALL: 'C', ...(libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath }) };
}
