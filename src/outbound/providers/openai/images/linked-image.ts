import { randomUUID } from 'node:crypto';
import { type FetchLink, ProviderError } from '../../../../domain/ports.ts';
import { sleep } from '../../../../lib/sleep.ts';
import { type Money, moneyOf } from './decoded-response.ts';
import { readImageHeader } from './image-header.ts';
import { envelopeOf } from './response-envelope.ts';

interface LinkedImageOptions {
  readonly fetchLink: FetchLink;
  /** Aborts at the deadline of the call, and if the caller stops it. */
  readonly signal: AbortSignal;
  /** Whether the caller stopped the call. */
  readonly isStopped: () => boolean;
  /** Called with a response that holds a link, before the link is fetched. If it rejects, so does the body. */
  readonly onLinks?: ((response: string) => Promise<void>) | undefined;
  /** Maximum size of the image in bytes. */
  readonly maxBytes: number;
}

/** Maximum size of a response that holds links. A larger response holds the image itself. */
const maxLinksBytes = 64 * 1024;
/** Fetches are free, so a failed one is repeated while the call has time. */
const maxFetches = 3;
const pauseMs = 1_000;
/** Multiple of 3, so that every piece but the last is base64 without padding. */
const pieceBytes = 48 * 1024;

/**
 * Replaces the first link of a response (`data[].url`) with the bytes behind it, so that the spool holds the image and not a
 * link that expires. Passes any other response unchanged.
 *
 * @throws ProviderError if the link leads to no image: of kind `unusable`, because another call would be paid and end the
 *   same way; of kind `uncertain` if the caller stopped the call, because the link may still lead to its image.
 */
export async function* withLinkedImage(
  body: AsyncIterable<Uint8Array>,
  options: LinkedImageOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      parts.push(next.value);
      sizeBytes += next.value.byteLength;
      if (sizeBytes > maxLinksBytes) {
        yield* parts;
        yield* { [Symbol.asyncIterator]: () => chunks };
        return;
      }
    }
    const response = Buffer.concat(parts).toString('utf8');
    const linked = linkIn(response);
    if (!linked) return yield* parts;
    await options.onLinks?.(response);
    yield* embedded(linked, await fetchImage(linked, options));
  } finally {
    await chunks.return?.();
  }
}

interface Link {
  readonly url: string;
  /** The money that the response reports. */
  readonly money: Money;
  /** The response with a base64 text in place of the link. */
  readonly responseWith: (base64: string) => object;
}

/** Finds the first link of a response without an image. */
function linkIn(text: string): Link | null {
  let response: unknown;
  try {
    response = JSON.parse(text);
  } catch {
    return null;
  }
  const data = typeof response === 'object' && response !== null ? Reflect.get(response, 'data') : null;
  if (!Array.isArray(data)) return null;
  const items = data.filter((item) => typeof item === 'object' && item !== null);
  if (items.some((item) => item.b64_json)) return null;
  const linked = items.find((item) => /^https?:\/\//i.test(String(item.url ?? '')));
  if (!linked) return null;
  const { url, ...item } = linked;
  const others = items.filter((each) => each !== linked);
  return {
    url: String(url),
    money: moneyOf(envelopeOf(response)),
    responseWith: (b64_json) => ({ ...(response as object), data: [{ ...item, b64_json }, ...others] }),
  };
}

/** Fetches a whole image. A transfer that ends early may look complete, so the bytes decide. @throws ProviderError */
async function fetchImage(link: Link, options: LinkedImageOptions): Promise<Buffer> {
  if (!URL.canParse(link.url)) throw unfetched(link, options, new Error('it is not a valid address'));
  for (let fetches = 1; ; fetches += 1) {
    try {
      const image = await options.fetchLink(link.url, options);
      readImageHeader(image);
      return image;
    } catch (error) {
      if (fetches === maxFetches || options.signal.aborted) throw unfetched(link, options, error);
      await sleep(pauseMs, options.signal);
    }
  }
}

/** The message names the host only, because the path of a link may be a credential. */
function unfetched({ url, money }: Link, { isStopped }: LinkedImageOptions, error: unknown): ProviderError {
  const host = URL.canParse(url) ? ` to ${new URL(url).host}` : '';
  const detail = Reflect.get(Object(error), 'detail') ?? Reflect.get(Object(error), 'message') ?? error;
  return new ProviderError(
    {
      kind: isStopped() ? 'uncertain' : 'unusable',
      code: 'provider_unusable_answer',
      ...money,
      message: `The provider's response cannot be used: its link${host} cannot be fetched: ${detail}`,
      provider: { status: 200 },
    },
    error,
  );
}

function* embedded({ responseWith }: Link, image: Buffer): Generator<Uint8Array> {
  // Random, because a response may repeat any text of the caller in front of the image.
  const mark = randomUUID();
  const [start = '', end = ''] = JSON.stringify(responseWith(mark)).split(mark);
  yield Buffer.from(start);
  for (let from = 0; from < image.length; from += pieceBytes) {
    yield Buffer.from(image.subarray(from, from + pieceBytes).toString('base64'));
  }
  yield Buffer.from(end);
}
