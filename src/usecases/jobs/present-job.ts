import {
  hasThumbnail,
  imageFileName,
  thumbnailFileName,
  thumbnailKeyOf,
  thumbnailType,
} from '../../domain/image.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { isMediaGone } from '../../domain/job-deadlines.ts';
import type { ImageJobView } from '../../domain/job-view.ts';
import { linkTimes } from '../../domain/link-times.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Clock, ImageStorage, JobQueue } from '../../domain/ports.ts';
import { type ImageLinks, viewJob } from '../../domain/view-job.ts';

interface Deps {
  storage: ImageStorage;
  jobQueue: JobQueue;
  catalogue: Pick<ModelCatalogue, 'priceVersion'>;
  clock: Clock;
}

/**
 * Renders a job for a caller. Links are signed and the queue position is read now, because the record holds only
 * storage keys. If the queue is unreachable, the position is `null`.
 */
export function createPresentJob(deps: Deps) {
  return async (
    stored: ImageJob,
    options: { publicUrl: string; linkSeconds: number; withPosition?: boolean },
  ): Promise<ImageJobView> => {
    const job = isMediaGone(stored, deps.clock()) ? { ...stored, mediaGone: true } : stored;
    // A link never outlives its image, which is deleted at the end of its retention.
    const times = linkTimes(deps.clock(), options.linkSeconds, job.mediaExpiresAt);
    const linkTo = async (key: string, contentType: string, fileName: string) => {
      const link = await deps.storage.link(key, { ...times, contentType, fileName });
      return deps.storage.isServedHere ? options.publicUrl + link : link;
    };
    const links = new Map<number, ImageLinks>();
    for (const image of job.mediaGone ? [] : job.images) {
      links.set(image.index, {
        url: await linkTo(image.storageKey, image.contentType, imageFileName(job, image)),
        thumbnailUrl: hasThumbnail(image)
          ? await linkTo(thumbnailKeyOf(job, image), thumbnailType, thumbnailFileName(job, image))
          : undefined,
        expiresAtMs: times.expiresAtMs,
      });
    }
    const position =
      job.status === 'queued' && options.withPosition !== false
        ? await deps.jobQueue.position(job.id).catch(() => null)
        : null;
    return viewJob(job, {
      publicUrl: options.publicUrl,
      links,
      position,
      priceVersion: deps.catalogue.priceVersion,
    });
  };
}
export type PresentJob = ReturnType<typeof createPresentJob>;
