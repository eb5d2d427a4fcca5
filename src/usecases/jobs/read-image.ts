import { AppError } from '../../domain/errors.ts';
import {
  extensionOf,
  hasThumbnail,
  imageFileName,
  type StoredImage,
  type StoredPreview,
  thumbnailFileName,
  thumbnailKeyOf,
  thumbnailType,
} from '../../domain/image.ts';
import { arePreviewsGone, isMediaGone } from '../../domain/job-deadlines.ts';
import { linkTimes } from '../../domain/link-times.ts';
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

/** Facts about stored bytes that a response needs. */
type StoredBytes = Pick<StoredImage, 'storageKey' | 'contentType' | 'sha256'>;

/** Content of an image: a URL to redirect to, or the bytes if Darkroom serves them. */
export type ImageContent =
  | { readonly kind: 'redirect'; readonly url: string; readonly image: StoredBytes }
  | {
      readonly kind: 'bytes';
      readonly image: StoredBytes;
      readonly fileName: string;
      /** End of the retention in epoch milliseconds. Undefined until the job ends, and for previews. */
      readonly expiresAtMs: number | undefined;
      open(): Promise<Bytes>;
    };

/** Returns stored images, their thumbnails and previews. @throws AppError `not_found`, `erased` */
export function createReadImage(deps: Deps) {
  async function open(key: string): Promise<Bytes> {
    const stored = await deps.storage.read(key);
    if (!stored) throw new AppError('not_found', { detail: 'The image is not stored any more.' });
    return stored;
  }

  async function image(tenant: string, id: string, index: number): Promise<ImageContent> {
    const job = await findJob(deps.records, tenant, id);
    const found = isMediaGone(job, deps.clock())
      ? undefined
      : job.images.find((each) => each.index === index);
    if (!found)
      throw new AppError('not_found', { detail: 'The job has no image with this index (any more).' });
    return contentOf(found, imageFileName(job, found), job.mediaExpiresAt);
  }

  async function thumbnail(tenant: string, id: string, index: number): Promise<ImageContent> {
    const job = await findJob(deps.records, tenant, id);
    const image = isMediaGone(job, deps.clock())
      ? undefined
      : job.images.find((each) => each.index === index);
    if (!image || !hasThumbnail(image))
      throw new AppError('not_found', { detail: 'The image has no thumbnail (yet, or any more).' });
    const facts = {
      storageKey: thumbnailKeyOf(job, image),
      contentType: thumbnailType,
      sha256: `${image.sha256}-thumbnail`,
    };
    return contentOf(facts, thumbnailFileName(job, image), job.mediaExpiresAt);
  }

  async function preview(tenant: string, id: string, { index, partial }: PreviewName): Promise<ImageContent> {
    const job = await findJob(deps.records, tenant, id);
    const found = arePreviewsGone(job, deps.clock())
      ? undefined
      : job.previews?.find((each) => each.index === index && each.partial === partial);
    if (!found) throw new AppError('not_found', { detail: 'The job has no such preview (any more).' });
    return contentOf(found, previewFileName(id, found));
  }

  async function contentOf(
    found: StoredBytes,
    fileName: string,
    expiresAtMs?: number,
  ): Promise<ImageContent> {
    if (deps.storage.isServedHere) {
      return { kind: 'bytes', image: found, fileName, expiresAtMs, open: () => open(found.storageKey) };
    }
    const url = await deps.storage.link(found.storageKey, {
      ...linkTimes(deps.clock(), deps.linkSeconds, expiresAtMs),
      contentType: found.contentType,
      fileName,
    });
    return { kind: 'redirect', url, image: found };
  }

  return { image, preview, thumbnail, open };
}
export type ReadImage = ReturnType<typeof createReadImage>;
