import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testKeys } from './service-environment.ts';
import { systemEnvironment } from './service-process.ts';

const run = promisify(execFile);

/** Folder of the programs that switch a client to this service. */
export const exampleFolder = fileURLToPath(new URL('../../examples/switch', import.meta.url));

interface ExampleRun {
  readonly stdout: string;
  /** Files that the program wrote. */
  readonly files: Readonly<Record<string, Buffer>>;
}

/**
 * Runs a TypeScript program of the folder as a user would, with the address of the service.
 *
 * @param options.packages folder whose `node_modules` has the packages of the program.
 */
export const runExample = (
  name: string,
  options: { service: string; packages: string },
): Promise<ExampleRun> =>
  runIn(join(options.packages, 'node_modules'), {
    name,
    service: options.service,
    command: [process.execPath, '--import', import.meta.resolve('tsx'), name],
  });

/**
 * Runs a Python program of the folder as a user would, with the address of the service.
 *
 * @param options.packages folder with the packages of the program.
 */
export const runPythonExample = (
  name: string,
  options: { service: string; packages: string },
): Promise<ExampleRun> =>
  runIn(options.packages, {
    name,
    service: options.service,
    command: ['python3', name],
    env: { PYTHONPATH: options.packages },
  });

async function runIn(
  parent: string,
  program: { name: string; service: string; command: readonly string[]; env?: Record<string, string> },
): Promise<ExampleRun> {
  const { name, service, command, env } = program;
  const folder = mkdtempSync(join(parent, '.switch-example-'));
  try {
    const source = readFileSync(join(exampleFolder, name), 'utf8');
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    writeFileSync(join(folder, name), source.replaceAll('http://localhost:8080', service));
    const [executable = '', ...parameters] = command;
    const { stdout } = await run(executable, parameters, {
      cwd: folder,
      env: { ...systemEnvironment(), OPENAI_API_KEY: testKeys.acme, ...env },
    });
    const files = readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))] as const);
    return { stdout, files: Object.fromEntries(files) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
