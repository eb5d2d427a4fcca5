import { open, realpath, stat, unlink, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Job } from '../../../clients/typescript/src/index.ts';
import { systemCode } from '../../lib/system-code.ts';
import type { CliContext } from './context.ts';
import { printable } from './printable.ts';

/** Returns the file of an image: `out` for the first, and with a number in the name for the others. */
const pathOf = (out: string, position: number): string =>
  position === 0 ? out : out.replace(/(\.[^./]+)?$/, `-${position}$1`);

/**
 * Checks that the images of a job can be written. Called before the job, so that nothing is paid for in vain. Prints which
 * files beside `out` will be replaced.
 *
 * @param n number of images.
 * @throws Error if a file cannot be written.
 */
export async function checkWritable(context: CliContext, out: string, n = 1): Promise<void> {
  if (out === '') throw new Error('--out names no file. No job was submitted.');
  if (out === '-') throw new Error('--out - is no file. Name a file, or ./- for a file of that name.');
  for (let i = 0; i < n; i += 1) {
    const path = pathOf(out, i);
    const isReplaced = await checkFile(path);
    if (isReplaced && i > 0) context.printError(`${path} exists and will be replaced.`);
  }
}

/** @returns whether the file exists. */
async function checkFile(path: string): Promise<boolean> {
  const existing = await stat(path).catch(() => null);
  if (existing?.isDirectory()) throw new Error(`--out ${path} is a folder. Name a file in it.`);
  // A pipe blocks until a reader opens it.
  if (existing && !existing.isFile()) return false;
  try {
    // Creating the file is the only check that covers permissions, the length of its name and every file system.
    await (await open(path, 'a')).close();
    // The path may be a link to a file that did not exist.
    if (!existing) await unlink(await realpath(path));
  } catch (cause) {
    const code = systemCode(cause);
    throw new Error(`--out ${path} cannot be written (${code ?? String(cause)}). No job was submitted.`, {
      cause,
    });
  }
  return existing !== null;
}

/** Saves the images of a job: the first to `out`, further ones beside it with a number in the name. */
export async function saveImages(context: CliContext, job: Job, out: string): Promise<void> {
  const sorted = job.images.toSorted((a, b) => a.index - b.index);
  for (const [i, image] of sorted.entries()) {
    const path = pathOf(out, i);
    await writeFile(path, await image.bytes());
    const size = `${image.width}x${image.height} ${image.content_type}, ${image.size_bytes} bytes`;
    context.printError(`${path}: ${size}${namesOtherFormat(path, image.content_type) ? otherFormat : ''}`);
  }
  for (const { message } of job.image_errors)
    context.printError(`An image is missing: ${printable(message)}`);
}

const otherFormat = '. The name of the file has the extension of another format.';

const contentTypes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ '.png': 'image/png', '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg' },
    ...{ '.webp': 'image/webp', '.gif': 'image/gif' },
  }),
);

/** Whether the name of a file promises another format. */
function namesOtherFormat(path: string, contentType: string): boolean {
  const named = contentTypes.get(extname(path).toLowerCase());
  return named !== undefined && named !== contentType;
}
