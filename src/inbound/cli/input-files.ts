import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { maxInputBytes, maxInputImages } from '../../domain/input-image.ts';
import { Refusal } from './call-errors.ts';

/** Files of an edit, as the options name them. */
export interface InputPaths {
  readonly images: readonly string[];
  readonly mask: string | undefined;
}

interface InputFile {
  /** Option that names the file. */
  readonly option: '--image' | '--mask';
  /** Pointer of the input in the problems of the service. */
  readonly pointer: string;
  readonly path: string;
}

/** Inputs of an edit that were found on the disk. */
export interface EditFiles {
  /** One line for the user with the names and sizes of the files. */
  readonly summary: string;
  /** Returns the fields and files as a form. The files stream from the disk when the form is sent. */
  form(fields: Readonly<Record<string, unknown>>): Promise<FormData>;
  /** Puts the names of files in place of the pointers of a refusal. */
  named(error: Refusal): Refusal;
}

/**
 * Checks the files of an edit before anything is sent.
 *
 * @returns `null` if the options name no files.
 * @throws Error naming the file that cannot be used.
 */
export async function findEditFiles({ images, mask }: InputPaths): Promise<EditFiles | null> {
  if (images.length === 0 && mask === undefined) return null;
  if (images.length === 0) throw new Error('--mask needs an --image, whose transparent area it marks.');
  if (images.length > maxInputImages) throw new Error(`At most ${maxInputImages} --image can be given.`);
  const files: InputFile[] = [
    ...images.map((path, index) => ({ option: '--image' as const, pointer: `/images/${index}`, path })),
    ...(mask === undefined ? [] : [{ option: '--mask' as const, pointer: '/mask', path: mask }]),
  ];
  const sizes = await Promise.all(files.map(sizeOf));
  const parts = files.map(({ option, path }, index) => `${option.slice(2)} ${path} (${sizes[index]} bytes)`);
  return {
    summary: `Sending ${parts.join(', ')}`,
    async form(fields) {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
      for (const { option, path } of files) {
        form.append(option === '--mask' ? 'mask' : 'image[]', await openAsBlob(path), basename(path));
      }
      return form;
    },
    named: (error) => withNames(error, files),
  };
}

async function sizeOf({ option, path }: InputFile): Promise<number> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Error(`${option} ${path} cannot be read. No job was submitted.`, { cause });
  });
  if (!found.isFile()) throw new Error(`${option} ${path} is not a file. No job was submitted.`);
  if (found.size === 0) throw new Error(`${option} ${path} is empty. No job was submitted.`);
  if (found.size > maxInputBytes) {
    throw new Error(`${option} ${path} has ${found.size} bytes. At most ${maxInputBytes} can be sent.`);
  }
  return found.size;
}

/** Refusals list their fields on lines of the form `  /images/0: reason`. */
function withNames(error: Refusal, files: readonly InputFile[]): Refusal {
  const lines = error.message.split('\n').map((line) => {
    const file = files.find(({ pointer }) => line.startsWith(`  ${pointer}: `));
    return file === undefined ? line : line.replace(file.pointer, () => `${file.option} ${file.path}`);
  });
  return new Refusal(lines.join('\n'), {
    ...(error.code === undefined ? {} : { code: error.code }),
    cause: error,
  });
}
