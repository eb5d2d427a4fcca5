import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ConsoleFiles } from '../inbound/http/console/console-files.ts';
import type { ConsoleDeps } from '../inbound/http/console/index.ts';
import { createSignInLink, type SignInLink } from '../inbound/http/console/sign-in-link.ts';
import { packageVersion } from '../lib/package-version.ts';
import { selectedProvider } from '../outbound/providers/registry.ts';
import { clock } from './clock.ts';
import type { Root } from './root.ts';
import { imageOriginsOf } from './storage.ts';

/** Maximum age of the link that `dev` prints. */
const linkTtlMs = 10 * 60_000;

/** The bundler of the sources. Only the development packages contain its library, so it is imported on demand. */
interface Bundler {
  bundleConsole(): Promise<ConsoleFiles>;
  latestChangeOfConsole(): Promise<number>;
}

/** Returns the dependencies of the console, and the link that signs in. */
export function composeConsole({ config, environment }: Root): ConsoleDeps & {
  readonly signInLink: SignInLink | undefined;
} {
  const { devApiKey } = environment;
  return {
    loadFiles: createFiles(),
    imageOrigins: imageOriginsOf(config),
    isLive: selectedProvider(config).isLive,
    version: packageVersion(),
    signInLink:
      devApiKey === undefined ? undefined : createSignInLink(devApiKey, { clock, ttlMs: linkTtlMs }),
  };
}

/** Returns the reader of the built files, or of the sources if this program runs from its sources. */
function createFiles(): ConsoleDeps['loadFiles'] {
  const built = fileURLToPath(new URL('../console/', import.meta.url));
  const bundler = fileURLToPath(new URL('../../console/bundle.ts', import.meta.url));
  if (existsSync(join(built, 'index.html'))) return once(() => readFolder(built));
  if (import.meta.url.endsWith('.ts') && existsSync(bundler)) return bundleSources(bundler);
  return async () => null;
}

async function readFolder(folder: string): Promise<ConsoleFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const files = paths.map(async (path) => {
    return [path.slice(folder.length).split(sep).join('/'), await readFile(path)] as const;
  });
  return new Map(await Promise.all(files));
}

/** Returns a function that bundles the sources at the first call and after each change. */
function bundleSources(bundler: string): ConsoleDeps['loadFiles'] {
  let latest: { changedAt: number; files: Promise<ConsoleFiles> } | undefined;
  return async () => {
    const { bundleConsole, latestChangeOfConsole } = (await import(
      /* @vite-ignore */ pathToFileURL(bundler).href
    )) as Bundler;
    const changedAt = await latestChangeOfConsole();
    if (latest?.changedAt !== changedAt) latest = { changedAt, files: bundleConsole() };
    const { files } = latest;
    // A mistake in the sources is reported once, and the next request tries again.
    files.catch(() => {
      latest = undefined;
    });
    return files;
  };
}

/** Returns a function that loads a value at the first call. A failure is not remembered. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load().catch((error) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
