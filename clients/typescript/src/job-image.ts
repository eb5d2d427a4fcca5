import { ConnectionError } from './errors.ts';
import type { Image, ImageJob } from './generated/types.gen.ts';

/** Reads the bytes of an image. */
export type ReadImage = (
  image: Image & { readonly jobId: string },
  signal?: AbortSignal,
) => Promise<Uint8Array<ArrayBuffer>>;

export interface JobImage extends Image {
  readonly jobId: string;
  /** Downloads the image and checks its size and checksum. A link that has expired is renewed. */
  bytes(options?: { signal?: AbortSignal }): Promise<Uint8Array<ArrayBuffer>>;
  /** Downloads the image as a Blob of its type. */
  blob(options?: { signal?: AbortSignal }): Promise<Blob>;
}

/** A job whose images can be downloaded. */
export type Job = Omit<ImageJob, 'images'> & { images: JobImage[] };
/** A job with at least one image. */
export type SucceededJob = Omit<ImageJob, 'images'> & { images: [JobImage, ...JobImage[]] };

/** Adds the downloads to the images of a job. They are no fields: JSON of the job is that of the service. */
export function withDownloads(job: ImageJob, read: ReadImage): Job {
  const images = job.images.map((image) => {
    const named = { ...image, jobId: job.id };
    const bytes = async (options: { signal?: AbortSignal } = {}) => read(named, options.signal);
    return Object.defineProperties({ ...image } as JobImage, {
      jobId: { value: job.id },
      bytes: { value: bytes },
      blob: {
        value: async (options?: { signal?: AbortSignal }) =>
          new Blob([await bytes(options)], { type: image.content_type }),
      },
    });
  });
  return { ...job, images };
}

/** Rejects bytes that differ from the image that the provider sent, such as a download that a proxy cut. */
export async function checkBytes(bytes: Uint8Array<ArrayBuffer>, image: Image): Promise<void> {
  if (bytes.length !== image.size_bytes) {
    throw new ConnectionError(`The image has ${image.size_bytes} bytes, but ${bytes.length} were received`);
  }
  // Browsers offer checksums on secure pages only.
  const { subtle } = globalThis.crypto as { subtle?: typeof crypto.subtle };
  if (!subtle) return;
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  const text = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (text !== image.sha256) throw new ConnectionError('The bytes of the image are damaged');
}
