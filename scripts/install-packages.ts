import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const installMs = 120_000;
const pollMs = 200;

/** Returns the folder of programs that tests and benchmarks install, the cache of `npm start`. */
const cacheFolder = () =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'darkroom', 'packages');

/**
 * Installs the packages of a manifest outside the project, because their engines or their number exclude them from
 * devDependencies. The folder is named by the lock file, so every change of a version installs anew. Concurrent callers
 * share one installation.
 *
 * @param manifest folder with package.json, package-lock.json and programs that import the packages.
 * @returns the folder with the same files and `node_modules`.
 * @throws Error if npm cannot install, for example without a network
 */
export async function installPackages(manifest: string): Promise<string> {
  const digest = createHash('sha256');
  for (const name of ['package.json', 'package-lock.json']) digest.update(readFileSync(join(manifest, name)));
  const folder = join(cacheFolder(), `${basename(manifest)}-${digest.digest('hex').slice(0, 16)}`);
  if (!existsSync(folder)) await installOnce(manifest, folder);
  // The programs are not part of the name, because they change without their packages.
  cpSync(manifest, folder, { recursive: true });
  return folder;
}

/** Installs into `folder`, or waits for the process that does. */
async function installOnce(manifest: string, folder: string): Promise<void> {
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
    const options = [
      '--prefix',
      part,
      '--ignore-scripts',
      '--engine-strict=false',
      '--no-audit',
      '--no-fund',
    ];
    await run('npm', ['ci', ...options], { cwd: part, timeout: installMs });
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
