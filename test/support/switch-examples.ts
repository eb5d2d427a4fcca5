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

/**
 * Runs a TypeScript program of the folder as a user would, with the address of the service.
 *
 * @param options.packages folder whose `node_modules` has the packages of the program.
 * @returns its output, and the files that it wrote.
 */
export async function runExample(
  name: string,
  options: { service: string; packages: string },
): Promise<{ stdout: string; files: Record<string, Buffer> }> {
  const folder = mkdtempSync(join(options.packages, 'node_modules', '.switch-example-'));
  try {
    const source = readFileSync(join(exampleFolder, name), 'utf8');
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    writeFileSync(join(folder, name), source.replaceAll('http://localhost:8080', options.service));
    const { stdout } = await run(process.execPath, ['--import', import.meta.resolve('tsx'), name], {
      cwd: folder,
      env: { ...systemEnvironment(), OPENAI_API_KEY: testKeys.acme },
    });
    const files = readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))] as const);
    return { stdout, files: Object.fromEntries(files) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
