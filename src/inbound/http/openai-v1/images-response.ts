import type { StoredImage } from '../../../domain/image.ts';
import type { ImageJob } from '../../../domain/image-job.ts';
import { closeBytes } from '../../../lib/close-bytes.ts';
import { base64Length, base64Of } from './base64-body.ts';
import type { Piece } from './write-pieces.ts';

/** Source of one image of a response: a link, or bytes that are opened when they are needed. */
export interface ImageSource {
  readonly image: StoredImage;
  /** Link of the image. Undefined if the response contains the bytes. */
  readonly url?: string | undefined;
  open(): Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Returns the members that OpenAI's response and its stream events contain besides the image.
 *
 * @param image the image that they describe. With `size: auto`, the images of a job may differ in size.
 */
function describeOutput(job: ImageJob, image: StoredImage | undefined): Record<string, unknown> {
  const { request, usage: stored } = job;
  const { input_image_tokens: _share, ...usage } = stored ?? {};
  return {
    background: request?.background ?? 'auto',
    output_format: formatOf(image?.contentType) ?? request?.output_format ?? 'png',
    quality: request?.quality ?? 'auto',
    size: image ? `${image.width}x${image.height}` : (request?.size ?? 'auto'),
    ...(stored ? { usage: { ...usage, ...detailsOf(job) } } : {}),
  };
}

/**
 * Returns the members of the `completed` event of one of several images. Each event has its share of the usage of the job,
 * because clients add up the usage of all events.
 *
 * @param options.index position of the image in the stream, from 0.
 */
export function describeImage(
  job: ImageJob,
  { image, ...position }: { readonly image: StoredImage; readonly index: number; readonly count: number },
): Record<string, unknown> {
  const { usage, ...output } = describeOutput(job, image);
  return usage === undefined ? output : { ...output, usage: shareOf(usage, position) };
}

/** Returns the share of one event in numbers, also in those of nested objects. The shares of all events add up exactly. */
function shareOf(value: unknown, position: { readonly index: number; readonly count: number }): unknown {
  const { index, count } = position;
  if (typeof value === 'number')
    return Math.floor((value * (index + 1)) / count) - Math.floor((value * index) / count);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shareOf(each, position)]));
}

/**
 * Returns what the caller must know besides the images: changes of the request, and images that are missing.
 *
 * @param mapped changes to this request. The job repeats those of the request that created it.
 */
export function describeWarnings(job: ImageJob, mapped: readonly string[]): string[] {
  const missing = (job.errors ?? [])
    .filter(({ index }) => index !== undefined && !job.images.some((image) => image.index === index))
    .map(({ code, message }) => `An image is missing (${code}): ${message}`);
  return [...new Set([...mapped, ...(job.warnings ?? []), ...missing])];
}

/** Returns the input tokens by kind. Absent if the provider did not report the share of the input images. */
function detailsOf({ usage, inputs }: ImageJob): { input_tokens_details?: object } {
  const image_tokens = usage?.input_image_tokens ?? (inputs?.length ? undefined : 0);
  if (!usage || image_tokens === undefined) return {};
  return {
    input_tokens_details: { text_tokens: Math.max(0, usage.input_tokens - image_tokens), image_tokens },
  };
}

/** Returns OpenAI's name of a content type: `image/svg+xml` is `svg`. */
export const formatOf = (contentType: string | undefined) => /^image\/(\w+)/.exec(contentType ?? '')?.[1];

/** Returns the text before and after the base64 of an image in its JSON object. */
function entryAround(job: ImageJob, source: ImageSource): [string, string] {
  const revised = job.revisedPrompt ? { revised_prompt: job.revisedPrompt } : {};
  if (source.url !== undefined) return [JSON.stringify({ url: source.url, ...revised }), ''];
  const tail = JSON.stringify({ ...revised }).slice(1);
  return ['{"b64_json":"', tail === '}' ? '"}' : `",${tail}`];
}

/** Body of a successful response in pieces, and its size. */
export interface ImagesBody {
  /** Size of the whole body. The body is ASCII except for texts of the job. */
  readonly sizeBytes: number;
  /** Returns the pieces in sequence. Reads one image at a time, when the reader reaches it. */
  pieces(): AsyncGenerator<Piece, void, undefined>;
}

/**
 * Builds OpenAI's `ImagesResponse` for a job. Streams images from the storage through base64 to the reader of the pieces,
 * so no image is held in memory as a whole.
 *
 * @param warnings texts of `describeWarnings`. OpenAI's API has no such member, and clients pass it through.
 */
export function imagesBody(
  job: ImageJob,
  sources: readonly ImageSource[],
  warnings: readonly string[],
): ImagesBody {
  const created = Math.floor((job.finishedAt ?? job.updatedAt) / 1000);
  const head = `{"created":${created},"data":[`;
  const members = {
    ...describeOutput(job, sources[0]?.image),
    job_id: job.id,
    ...(warnings.length > 0 ? { warnings } : {}),
  };
  const tail = `],${JSON.stringify(members).slice(1)}`;
  const entries = sources.map((source) => ({ source, around: entryAround(job, source) }));
  const sizeOf = ({ source, around }: (typeof entries)[number]) =>
    Buffer.byteLength(around[0]) +
    Buffer.byteLength(around[1]) +
    (source.url === undefined ? base64Length(source.image.sizeBytes) : 0);
  return {
    sizeBytes:
      Buffer.byteLength(head) +
      Buffer.byteLength(tail) +
      Math.max(0, entries.length - 1) +
      entries.reduce((sum, entry) => sum + sizeOf(entry), 0),
    async *pieces() {
      yield head;
      for (const [i, { source, around }] of entries.entries()) {
        yield (i > 0 ? ',' : '') + around[0];
        if (source.url === undefined) yield* base64Of(await source.open());
        yield around[1];
      }
      yield tail;
    },
  };
}

/** Returns a server-sent event in pieces. Its data is a JSON object with the base64 of an image. */
export async function* imageEventPieces(
  type: string,
  members: Readonly<Record<string, unknown>>,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Piece, void, undefined> {
  try {
    yield `event: ${type}\ndata: {"type":${JSON.stringify(type)},"b64_json":"`;
    yield* base64Of(bytes);
    const rest = JSON.stringify(members).slice(1);
    yield `"${rest === '}' ? '}' : `,${rest}`}\n\n`;
  } finally {
    // The caller may leave before the first byte is read.
    closeBytes(bytes);
  }
}
