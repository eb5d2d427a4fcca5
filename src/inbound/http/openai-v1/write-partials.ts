import type { StoredPreview } from '../../../domain/image.ts';
import type { ImageJob } from '../../../domain/image-job.ts';
import type { ImageMoment } from '../../../usecases/jobs/stream-job-events.ts';
import type { EventWriter } from './event-writer.ts';
import { formatOf, imageEventPieces } from './images-response.ts';

/** Beginning of the types of events, which differs by call. */
export type EventFamily = 'image_generation' | 'image_edit';

interface Partials {
  readonly family: EventFamily;
  /** Moments of the job from its beginning to its end. */
  readonly moments: AsyncIterable<ImageMoment>;
  /** Opens stored bytes. Rejects if they were deleted. */
  readonly open: (storageKey: string) => Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Writes the previews of a job as events of OpenAI's API: those that exist, then each new one, until the job ends. Streams
 * their bytes from the storage. A preview that cannot be opened is skipped.
 *
 * @throws CallerGone if the connection closes first
 */
export async function writePartials(writer: EventWriter, { family, moments, open }: Partials): Promise<void> {
  for await (const moment of moments) {
    const preview = previewOf(moment);
    const bytes = preview && (await open(preview.storageKey).catch(() => null));
    if (!bytes) continue;
    await writer.write(imageEventPieces(`${family}.partial_image`, describePartial(moment, preview), bytes));
  }
}

/** Returns the preview of a moment, unless a later call for the image has replaced it. */
function previewOf({ job, no, image, partial }: ImageMoment): StoredPreview | undefined {
  if (partial === undefined) return undefined;
  const isSame = (each: ImageJob['history'][number]) => each.image === image && each.partial === partial;
  if (job.history.findLastIndex(isSame) + 1 !== no) return undefined;
  return job.previews?.find((each) => each.index === image && each.partial === partial);
}

/** Returns the members of OpenAI's event besides the bytes. */
function describePartial({ job, at }: ImageMoment, preview: StoredPreview): Record<string, unknown> {
  return {
    partial_image_index: preview.partial,
    created_at: Math.floor(at / 1000),
    size: `${preview.width}x${preview.height}`,
    quality: job.request?.quality ?? 'auto',
    background: job.request?.background ?? 'auto',
    output_format: formatOf(preview.contentType),
    job_id: job.id,
  };
}
