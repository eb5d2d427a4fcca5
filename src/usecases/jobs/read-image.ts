import { AppError } from '../../domain/errors.ts';
import { extensionOf, type StoredImage, type StoredPreview } from '../../domain/image.ts';
import type { Clock, ImageStorage, JobStore } from '../../domain/ports.ts';
import { findJob } from './get-job.ts';

interface Deps {
  records: JobStore;
  storage: ImageStorage;
  clock: Clock;
  linkSeconds: number;
}

type PreviewName = Pick<StoredPreview, 'index' | 'partial'>;

export interface Bytes {
  readonly body: AsyncIterable<Uint8Array>;
  readonly sizeBytes: number;
}

/** Returns the file name that a link to a preview offers. */
export const previewFileName = (
  jobId: string,
  { index, partial, contentType }: Pick<StoredPreview, 'index' | 'partial' | 'contentType'>,
) => `${jobId}-${index}-partial-${partial}.${extensionOf(contentType)}`;

/** Content of an image: a URL to redirect to, or the bytes if Darkroom serves them. */
export type ImageContent =
  | { readonly kind: 'redirect'; readonly url: string; readonly image: StoredImage }
  | {
      readonly kind: 'bytes';
      readonly image: StoredImage;
      readonly fileName: string;
      open(): Promise<Bytes>;
    };

/** Returns stored images and previews. @throws AppError `not_found`, `erased` */
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
    return contentOf(found, `${id}-${index}.${extensionOf(found.contentType)}`);
  }

  async function preview(tenant: string, id: string, { index, partial }: PreviewName): Promise<ImageContent> {
    const job = await findJob(deps.records, tenant, id);
    const found = job.previews?.find((each) => each.index === index && each.partial === partial);
    if (!found) throw new AppError('not_found', { detail: 'The job has no such preview (any more).' });
    return contentOf(found, previewFileName(id, found));
  }

  async function contentOf(found: StoredImage, fileName: string): Promise<ImageContent> {
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

  return { image, preview, open };
}
export type ReadImage = ReturnType<typeof createReadImage>;
