import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { maxInputBytes, maxInputImages } from '../../domain/input-image.ts';

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
  /** Opens the files. They stream from the disk when they are sent. */
  open(): Promise<{ images: File[]; mask?: File }>;
  /** Puts the names of files in place of the pointers in the text of a refusal. */
  named(text: string): string;
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
    open: async () => ({
      images: await Promise.all(images.map(fileOf)),
      ...(mask === undefined ? {} : { mask: await fileOf(mask) }),
    }),
    named: (text) => withNames(text, files),
  };
}

const fileOf = async (path: string) => new File([await openAsBlob(path)], basename(path));

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
function withNames(text: string, files: readonly InputFile[]): string {
  const lines = text.split('\n').map((line) => {
    const file = files.find(({ pointer }) => line.startsWith(`  ${pointer}: `));
    return file === undefined ? line : line.replace(file.pointer, () => `${file.option} ${file.path}`);
  });
  return lines.join('\n');
}
