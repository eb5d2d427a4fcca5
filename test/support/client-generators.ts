import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Programs that read openapi.yaml as the tools of callers do. They are installed outside the project, because their peer
 * dependencies need an older TypeScript than the project uses.
 */
const packages = {
  '@hey-api/openapi-ts': '0.95.0',
  '@redocly/cli': '2.77.0',
  'openapi-fetch': '0.17.0',
  'openapi-typescript': '7.13.0',
  typescript: '5.9.3',
};

/** Programs of a folder with installed packages. */
export interface ClientGenerators {
  readonly nodeModules: string;
  /** Runs a program of a package and resolves with its output. */
  run(program: string, args: readonly string[], cwd: string): Promise<string>;
}

/** Installs the programs into the user's cache, one folder for each set of versions. */
export async function installClientGenerators(): Promise<ClientGenerators> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'darkroom');
  const version = createHash('sha256').update(JSON.stringify(packages)).digest('hex').slice(0, 12);
  const folder = join(cache, `client-generators-${version}`);
  if (!existsSync(folder)) await install(cache, folder);
  const nodeModules = join(folder, 'node_modules');
  return {
    nodeModules,
    run: (program, args, cwd) => runNode([join(nodeModules, '.bin', program), ...args], cwd),
  };
}

/** Installs into a temporary folder and renames it, so that an interrupted installation is never used. */
async function install(cache: string, folder: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const temporary = await mkdtemp(join(cache, 'client-generators-'));
  try {
    await writeFile(
      join(temporary, 'package.json'),
      JSON.stringify({ private: true, dependencies: packages }),
    );
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
    await promisify(execFile)('npm', ['install', ...options], { cwd: temporary });
    await rename(temporary, folder);
  } catch (error) {
    // Another process may have installed the same versions first.
    await rm(temporary, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

/** Runs a program of Node and resolves with its output. An error contains the output. */
export async function runNode(args: readonly string[], cwd: string): Promise<string> {
  const env = {
    ...process.env,
    REDOCLY_TELEMETRY: 'off',
    REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
    NO_COLOR: '1',
  };
  try {
    return (await promisify(execFile)(process.execPath, args, { cwd, env })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
