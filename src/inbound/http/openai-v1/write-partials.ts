import type { StoredPreview } from '../../../domain/image.ts';
import type { ImageJob } from '../../../domain/image-job.ts';
import { closeBytes } from '../../../lib/close-bytes.ts';
import { sleep } from '../../../lib/sleep.ts';
import type { ImageMoment } from '../../../usecases/jobs/stream-job-events.ts';
import type { EventWriter } from './event-writer.ts';
import { formatOf, imageEventPieces } from './images-response.ts';

/** Beginning of the types of events, which differs by call. */
export type EventFamily = 'image_generation' | 'image_edit';

type Bytes = AsyncIterable<Uint8Array>;

interface Partials {
  readonly family: EventFamily;
  /** Moments of the job from its beginning to its end. */
  readonly moments: AsyncIterable<ImageMoment>;
  /** Opens stored bytes. Rejects if they were deleted. */
  readonly open: (storageKey: string) => Promise<Bytes>;
  /** Settles when the job has ended. */
  readonly ended: Promise<unknown>;
}

/** Time in which a preview of an ended job is opened. The image is more important than its previews. */
const maxLateMs = 2_000;

/**
 * Writes the previews of a job as events of OpenAI's API: those that exist, then each new one, until the job ends. Streams
 * their bytes from the storage. A preview that cannot be opened is skipped. If one is late after the end of the job, the
 * rest is skipped too.
 *
 * @throws CallerGone if the connection closes first
 */
export async function writePartials(
  writer: EventWriter,
  { family, moments, open, ended }: Partials,
): Promise<void> {
  for await (const moment of moments) {
    const preview = previewOf(moment);
    if (!preview) continue;
    const bytes = await openInTime(open(preview.storageKey), ended);
    if (bytes === 'late') return;
    if (!bytes) continue;
    await writer.write(imageEventPieces(`${family}.partial_image`, describePartial(moment, preview), bytes));
  }
}

/** Returns opened bytes, `null` if they cannot be opened, or `late` if the job has ended and they take too long. */
async function openInTime(opening: Promise<Bytes>, ended: Promise<unknown>): Promise<Bytes | null | 'late'> {
  const opened = opening.catch(() => null);
  const isOpen = new AbortController();
  const late = Promise.allSettled([ended])
    .then(() => sleep(maxLateMs, isOpen.signal))
    .then(() => 'late' as const);
  const first = await Promise.race([opened, late]);
  isOpen.abort();
  if (first === 'late') void opened.then((bytes) => bytes && closeBytes(bytes));
  return first;
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
