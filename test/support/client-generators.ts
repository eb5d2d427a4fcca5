import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installPackages } from '../../scripts/install-packages.ts';

/** Programs of a folder with installed packages. */
export interface ClientGenerators {
  readonly nodeModules: string;
  /** Runs a program of a package and resolves with its output. */
  run(program: string, args: readonly string[], cwd: string): Promise<string>;
}

/**
 * Installs the programs that read openapi.yaml as the tools of callers do. Their peer dependencies need an older TypeScript
 * than the project uses.
 */
export async function installClientGenerators(): Promise<ClientGenerators> {
  const folder = await installPackages(fileURLToPath(new URL('generator-packages', import.meta.url)));
  const nodeModules = join(folder, 'node_modules');
  return {
    nodeModules,
    run: (program, args, cwd) => runNode([join(nodeModules, '.bin', program), ...args], cwd),
  };
}

/** Runs a program of Node and resolves with its output. An error contains the output. */
export async function runNode(
  args: readonly string[],
  cwd: string,
  overrides: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = {
    ...process.env,
    REDOCLY_TELEMETRY: 'off',
    REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
    NO_COLOR: '1',
    ...overrides,
  };
  try {
    return (await promisify(execFile)(process.execPath, args, { cwd, env })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
