import { closeBytes } from '../../../lib/close-bytes.ts';
import type { ImageSource } from './images-response.ts';

/** Sources of a response whose first image is open. */
export interface OpenedSources {
  readonly sources: readonly ImageSource[];
  /** Closes the first image if the response was not written. */
  close(): void;
}

/**
 * Opens the first image of a response before its head is written. Clients repeat a request whose connection closes before
 * the head, but not one whose body breaks off. Links need no opening.
 *
 * @throws AppError of the storage
 */
export async function openFirst(sources: readonly ImageSource[]): Promise<OpenedSources> {
  const [first, ...rest] = sources;
  if (first === undefined || first.url !== undefined) return { sources, close() {} };
  const bytes = await first.open();
  return {
    sources: [{ ...first, open: async () => bytes }, ...rest],
    close: () => closeBytes(bytes),
  };
}
