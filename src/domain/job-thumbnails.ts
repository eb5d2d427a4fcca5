import { lacksThumbnail } from './image.ts';
import type { ImageJob } from './image-job.ts';
import { touch } from './job-moves.ts';

/** Thumbnails of a job's images. They are made after the job has succeeded, so they never delay it. */

/** Whether a thumbnail of an image of the job can still be made. */
export const lacksThumbnails = (job: ImageJob): boolean =>
  job.status === 'succeeded' &&
  !job.mediaGone &&
  job.erasedAt === undefined &&
  job.images.some(lacksThumbnail);

/**
 * Records the thumbnail of one image, or with an empty hash that none can be made. Returns the same record if the job has
 * no such image any more, or has its thumbnail.
 */
export function addThumbnail(
  job: ImageJob,
  index: number,
  { thumbhash, nowMs }: { readonly thumbhash: string; readonly nowMs: number },
): ImageJob {
  const image = job.images.find((each) => each.index === index);
  if (!image || !lacksThumbnails(job) || !lacksThumbnail(image)) return job;
  const images = job.images.map((each) => (each === image ? { ...image, thumbhash } : each));
  return { ...touch(job, nowMs), images };
}
