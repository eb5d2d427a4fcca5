import { AppError } from '../../domain/errors.ts';
import { extensionOf, type StoredImage } from '../../domain/image.ts';
import type { Clock, ImageStorage, JobStore } from '../../domain/ports.ts';
import { findJob } from './get-job.ts';

interface Deps {
  records: JobStore;
  storage: ImageStorage;
  clock: Clock;
  linkSeconds: number;
}

export interface Bytes {
  readonly body: AsyncIterable<Uint8Array>;
  readonly sizeBytes: number;
}

/** Content of an image: a URL to redirect to, or the bytes if Darkroom serves them. */
export type ImageContent =
  | { readonly kind: 'redirect'; readonly url: string; readonly image: StoredImage }
  | {
      readonly kind: 'bytes';
      readonly image: StoredImage;
      readonly fileName: string;
      open(): Promise<Bytes>;
    };

/** Returns stored images. @throws AppError `not_found`, `erased` */
export function createReadImage(deps: Deps) {
  async function open(key: string): Promise<Bytes> {
    const stored = await deps.storage.read(key);
    if (!stored) throw new AppError('not_found', { detail: 'The image is not stored any more.' });
    return stored;
  }

  async function image(tenant: string, id: string, index: number): Promise<ImageContent> {
    const job = await findJob(deps.records, tenant, id);
    const found = job.mediaGone ? undefined : job.images.find((each) => each.index === index);
    if (!found)
      throw new AppError('not_found', { detail: 'The job has no image with this index (any more).' });
    const fileName = `${id}-${index}.${extensionOf(found.contentType)}`;
    if (deps.storage.isServedHere) {
      return { kind: 'bytes', image: found, fileName, open: () => open(found.storageKey) };
    }
    const expiresAtMs = deps.clock() + deps.linkSeconds * 1000;
    const url = await deps.storage.link(found.storageKey, {
      expiresAtMs,
      contentType: found.contentType,
      fileName,
    });
    return { kind: 'redirect', url, image: found };
  }

  return { image, open };
}
export type ReadImage = ReturnType<typeof createReadImage>;
