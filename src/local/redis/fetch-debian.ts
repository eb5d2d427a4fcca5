import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DebianRelease, SourcesFile } from './debian-sources.ts';
import { parseDebianRelease, pickSources } from './debian-sources.ts';
import { findUnpacked, unpackedPrefix } from './find.ts';
import { ManagedRedisError, waysToGetRedis } from './managed-redis-error.ts';
import type { RedisBinary } from './redis-binary.ts';
import { inspectUnpacked } from './redis-binary.ts';
import { defaultSearchPath, findOnPath, runProgram } from './run-program.ts';

interface Fetching {
  release: DebianRelease;
  aptGet: string;
  dpkgDeb: string;
  /** Folder of this fetch only, removed at its end. */
  workDir: string;
  log: (line: string) => void;
}

const stepTimeoutMs = 180_000;
const abandonedAfterMs = 3_600_000;
const workPrefix = 'fetching-';
const listsDir = '/var/lib/apt/lists';

/**
 * Downloads the distribution's redis-server package, and the missing libraries that it links, and unpacks them into a new
 * folder of `cacheDir`. Needs no root and changes nothing outside `cacheDir`. Apt checks every signature as usual.
 *
 * Several processes may fetch at the same time: each works in its own folder, and a finished folder appears by a rename.
 * A fetch takes about 2 s and 1.4 MB with package lists on the machine, 4 s and 11 MB without.
 *
 * @returns undefined if the system is not Debian-like.
 * @throws ManagedRedisError if the download fails.
 */
export async function fetchDebianRedis(options: {
  cacheDir: string;
  searchPath?: string | undefined;
  log: (line: string) => void;
}): Promise<RedisBinary | undefined> {
  const searchPath = options.searchPath ?? defaultSearchPath;
  const release = parseDebianRelease(await readFile('/etc/os-release', 'utf8').catch(() => ''));
  const aptGet = await findOnPath('apt-get', searchPath);
  const dpkgDeb = await findOnPath('dpkg-deb', searchPath);
  if (!release || !aptGet || !dpkgDeb) return undefined;
  await mkdir(options.cacheDir, { recursive: true, mode: 0o700 });
  await removeAbandoned(options.cacheDir);
  const workDir = await mkdtemp(join(options.cacheDir, workPrefix));
  try {
    return await fetchInto(options.cacheDir, { release, aptGet, dpkgDeb, workDir, log: options.log });
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

async function fetchInto(cacheDir: string, fetching: Fetching): Promise<RedisBinary> {
  const startedAtMs = performance.now();
  fetching.log('no redis-server found: downloading the redis-server package (about 1.5 MB, once)');
  const archives = await download(fetching);
  const root = join(fetching.workDir, 'root');
  for (const archive of archives) {
    const unpacked = await runProgram(fetching.dpkgDeb, ['-x', archive, root], { timeoutMs: stepTimeoutMs });
    if (unpacked.code !== 0) throw fetchFailure('unpacking a package failed', unpacked.stderr);
  }
  const inspected = await inspectUnpacked(root);
  if (typeof inspected === 'string') throw fetchFailure('the downloaded server does not run', inspected);
  // Another process may have finished first, and one copy is enough.
  const existing = await findUnpacked(cacheDir);
  if (existing) return existing;
  const name = `${unpackedPrefix}${fetching.release.label}-${process.arch}-${randomBytes(4).toString('hex')}`;
  await rename(root, join(cacheDir, name));
  const found = await inspectUnpacked(join(cacheDir, name));
  if (typeof found === 'string') throw fetchFailure('the downloaded server does not run', found);
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  fetching.log(`downloaded ${found.flavor} ${found.version} into ${cacheDir} in ${seconds} s`);
  return found;
}

/** Downloads with the package lists of the machine, or with fresh ones if those are missing or stale. */
async function download(fetching: Fetching): Promise<string[]> {
  const basics = await basicOptions(fetching.workDir);
  if (await hasPackageLists()) {
    const archives = await downloadWith(basics, fetching);
    if (Array.isArray(archives)) return archives;
  }
  fetching.log(
    'the package lists are missing or stale: downloading fresh ones (about 10 MB on Debian, 25 MB on Ubuntu)',
  );
  const own = [...basics, ...(await ownListOptions(fetching))];
  const updated = await runProgram(fetching.aptGet, ['update', ...own], { timeoutMs: stepTimeoutMs });
  // The exit code is ignored, because an update that misses one list of several is often sufficient.
  const archives = await downloadWith(own, fetching);
  if (Array.isArray(archives)) return archives;
  throw fetchFailure('apt-get could not fetch redis-server', `${updated.stderr}\n${archives}`);
}

/** Returns the paths of the downloaded archives, or the error output of apt. */
async function downloadWith(aptOptions: readonly string[], fetching: Fetching): Promise<string[] | string> {
  const args = [
    'install',
    '--yes',
    '--download-only',
    '--no-install-recommends',
    // Without it apt downloads nothing if the packages are installed, even though no usable server was found.
    '--reinstall',
    ...aptOptions,
    'redis-server',
    // Debian puts the program into this package. It may be installed without redis-server.
    'redis-tools',
  ];
  const result = await runProgram(fetching.aptGet, args, { timeoutMs: stepTimeoutMs });
  if (result.code !== 0) return result.stderr;
  const folder = join(fetching.workDir, 'cache', 'archives');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.deb'));
  return names.length > 0 ? names.map((name) => join(folder, name)) : 'apt-get downloaded nothing';
}

/** Returns options with which apt works without root: own cache, no lock, no change of user. */
async function basicOptions(workDir: string): Promise<string[]> {
  const cache = join(workDir, 'cache');
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  return setOptions({
    'Dir::Cache': cache,
    'Debug::NoLocking': 'true',
    'APT::Sandbox::User': 'root',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '10',
    'Acquire::https::Timeout': '10',
  });
}

/** Returns options for own package lists, as few and small as possible. */
async function ownListOptions({ release, workDir }: Fetching): Promise<string[]> {
  const lists = join(workDir, 'lists');
  const sources = join(workDir, 'sources');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(sources);
  const picked = pickSources(await readSources(), release);
  for (const { name, text } of picked) await writeFile(join(sources, name), text);
  const architecture = await runProgram('dpkg', ['--print-architecture'], { timeoutMs: 10_000 });
  return setOptions({
    'Dir::State::Lists': lists,
    'Acquire::Languages': 'none',
    ...(architecture.code === 0 ? { 'APT::Architectures': architecture.stdout.trim() } : {}),
    ...(picked.length > 0 ? { 'Dir::Etc::SourceList': '/dev/null', 'Dir::Etc::SourceParts': sources } : {}),
  });
}

/** Removes the work folders of fetches that were killed. */
async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of (await readdir(cacheDir)).filter((entry) => entry.startsWith(workPrefix))) {
    const folder = join(cacheDir, name);
    const found = await stat(folder).catch(() => undefined);
    const isAbandoned = found !== undefined && Date.now() - found.mtimeMs > abandonedAfterMs;
    if (isAbandoned) await rm(folder, { recursive: true, force: true });
  }
}

function setOptions(settings: Record<string, string>): string[] {
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

async function readSources(): Promise<SourcesFile[]> {
  const folder = '/etc/apt/sources.list.d';
  const inFolder = (await readdir(folder).catch(() => [])).filter((name) => /\.(list|sources)$/.test(name));
  const paths = ['/etc/apt/sources.list', ...inFolder.map((name) => join(folder, name))];
  const files: SourcesFile[] = [];
  for (const [index, path] of paths.entries()) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined)
      files.push({ name: `${index}.${path.endsWith('.sources') ? 'sources' : 'list'}`, text });
  }
  return files;
}

async function hasPackageLists(): Promise<boolean> {
  const names = await readdir(listsDir).catch(() => []);
  for (const name of names.filter((entry) => /_Packages(\.\w+)?$/.test(entry))) {
    const { size } = await stat(join(listsDir, name)).catch(() => ({ size: 0 }));
    if (size > 0) return true;
  }
  return false;
}

function fetchFailure(step: string, detail: string): ManagedRedisError {
  const lines = detail.trim().split('\n');
  // The failed download of a list is the cause. "Unknown package" is only its consequence.
  const cause =
    lines.find((line) => line.includes('Failed to fetch')) ?? lines.findLast((line) => line.startsWith('E:'));
  const shown = (cause ?? lines.at(-1) ?? '').slice(0, 400);
  return new ManagedRedisError(`${step}: ${shown || 'no reason given'}\n${waysToGetRedis}`);
}
