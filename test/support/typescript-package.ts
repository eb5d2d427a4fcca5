import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runNode } from './client-generators.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const projectRoot = new URL('../..', import.meta.url).pathname;
/** Folder of the TypeScript client. */
export const clientSource = join(projectRoot, 'clients/typescript');
export const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc');

/** Installs the package, as it is published, into a new project. Returns the folder of the project. */
export async function installClient(): Promise<string> {
  const project = await temporaryFolder();
  const target = join(project, 'node_modules/@darkroom/client');
  await mkdir(target, { recursive: true });
  await runNode([tsc, '-p', clientSource, '--outDir', join(target, 'dist')], project);
  await cp(join(clientSource, 'package.json'), join(target, 'package.json'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  return project;
}
