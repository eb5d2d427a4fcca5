import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const installMs = 120_000;
const pollMs = 200;

/** Returns the folder of programs that tests and benchmarks install, the cache of `npm start`. */
const cacheFolder = () =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'darkroom', 'packages');

/** A program that installs the packages of a manifest. */
interface Installer {
  /** Files that name every package with its version. */
  readonly locks: readonly string[];
  /** Installs the packages of a copy of the manifest into that copy. */
  install(folder: string): Promise<unknown>;
}

const npm: Installer = {
  locks: ['package.json', 'package-lock.json'],
  install: (folder) => {
    const options = ['--ignore-scripts', '--engine-strict=false', '--no-audit', '--no-fund'];
    return run('npm', ['ci', '--prefix', folder, ...options], { cwd: folder, timeout: installMs });
  },
};

const pip: Installer = {
  locks: ['requirements.txt'],
  install: (folder) => {
    // The file names every package, so pip need not ask the index for dependencies.
    const options = ['-q', '--no-deps', '--no-cache-dir', '--retries', '0', '--target', '.'];
    const install = ['-m', 'pip', 'install', ...options, '-r', 'requirements.txt'];
    return run('python3', install, { cwd: folder, timeout: installMs });
  },
};

/**
 * Installs the npm packages of a manifest outside the project, because their engines or their number exclude them from
 * devDependencies. The folder is named by the lock file, so every change of a version installs anew. Concurrent callers
 * share one installation.
 *
 * @param manifest folder with package.json, package-lock.json and programs that import the packages.
 * @returns the folder with the same files and `node_modules`.
 * @throws Error if npm cannot install, for example without a network
 */
export const installPackages = (manifest: string): Promise<string> => installWith(npm, manifest);

/**
 * Installs the Python packages of a manifest outside the project, like `installPackages`.
 *
 * @param manifest folder with requirements.txt, which names every package, and programs that import the packages.
 * @returns the folder with the same files and the packages, so that Python finds them beside the program.
 * @throws Error if pip is missing or cannot install, for example without a network
 */
export const installPythonPackages = (manifest: string): Promise<string> => installWith(pip, manifest);

async function installWith(installer: Installer, manifest: string): Promise<string> {
  const digest = createHash('sha256');
  for (const name of installer.locks) digest.update(readFileSync(join(manifest, name)));
  const folder = join(cacheFolder(), `${basename(manifest)}-${digest.digest('hex').slice(0, 16)}`);
  if (!existsSync(folder)) await installOnce(installer, manifest, folder);
  // The programs are not part of the name, because they change without their packages.
  updateFiles(manifest, folder);
  return folder;
}

/** Copies the files that differ. Each is replaced in one step, because other processes import them at the same time. */
function updateFiles(from: string, to: string): void {
  for (const name of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    const source = join(from, name);
    if (!statSync(source).isFile()) continue;
    const bytes = readFileSync(source);
    const target = join(to, name);
    if (existsSync(target) && readFileSync(target).equals(bytes)) continue;
    mkdirSync(dirname(target), { recursive: true });
    const part = `${target}.${process.pid}`;
    writeFileSync(part, bytes);
    renameSync(part, target);
  }
}

/** Installs into `folder`, or waits for the process that does. */
async function installOnce(installer: Installer, manifest: string, folder: string): Promise<void> {
  mkdirSync(cacheFolder(), { recursive: true });
  const lock = `${folder}.lock`;
  const untilMs = Date.now() + installMs;
  while (!isLocked(lock)) {
    await sleep(pollMs);
    if (existsSync(folder)) return;
    // The process that held the lock was killed.
    if (Date.now() > untilMs) rmSync(lock, { recursive: true, force: true });
  }
  const part = mkdtempSync(`${folder}.part-`);
  try {
    if (existsSync(folder)) return;
    cpSync(manifest, part, { recursive: true });
    await installer.install(part);
    renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
    rmSync(lock, { recursive: true, force: true });
  }
}

function isLocked(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
