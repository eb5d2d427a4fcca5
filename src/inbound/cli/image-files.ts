import { access, constants, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Job } from '../../../clients/typescript/src/index.ts';
import type { CliContext } from './context.ts';

/** Throws if the file cannot be written. Called before the job, so that nothing is paid for in vain. */
export async function checkWritable(out: string): Promise<void> {
  const existing = await stat(out).catch(() => null);
  if (existing?.isDirectory()) throw new Error(`--out ${out} is a folder. Name a file in it.`);
  await access(existing ? out : dirname(out), constants.W_OK).catch((cause: unknown) => {
    throw new Error(`--out ${out} cannot be written. No job was submitted.`, { cause });
  });
}

/** Saves the images of a job: the first to `out`, further ones beside it with a number in the name. */
export async function saveImages(context: CliContext, job: Job, out: string): Promise<void> {
  const sorted = job.images.toSorted((a, b) => a.index - b.index);
  for (const [i, image] of sorted.entries()) {
    const path = i === 0 ? out : out.replace(/(\.[^./]+)?$/, `-${i}$1`);
    await writeFile(path, await image.bytes());
    context.printError(
      `${path}: ${image.width}x${image.height} ${image.content_type}, ${image.size_bytes} bytes`,
    );
  }
  for (const { message } of job.image_errors) context.printError(`An image is missing: ${message}`);
}
