import { setTimeout as sleep } from 'node:timers/promises';
import { type FetchLink, ProviderError } from '../../../../domain/ports.ts';

interface LinkedImageOptions {
  readonly fetchLink: FetchLink;
  /** Aborts at the deadline of the call. */
  readonly signal: AbortSignal;
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
const imageMark = 'the bytes of the linked image';

/**
 * Replaces the first link of a response (`data[].url`) with the bytes behind it, so that the spool holds the image and not a
 * link that expires. Passes any other response unchanged.
 *
 * @throws ProviderError of kind `unusable` if the link cannot be fetched: another call would be paid and end the same way.
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
    const linked = linkIn(Buffer.concat(parts).toString('utf8'));
    if (linked) yield* embedded(linked.response, await fetchImage(linked.url, options));
    else yield* parts;
  } finally {
    await chunks.return?.();
  }
}

interface LinkedResponse {
  readonly data: readonly Record<string, unknown>[];
}

/** Finds the first link of a response without an image. */
function linkIn(text: string): { response: LinkedResponse; url: string } | null {
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
  const url = items.map((item) => item.url).find((each) => /^https?:\/\//i.test(String(each ?? '')));
  return url ? { response: { ...(response as object), data: items }, url: String(url) } : null;
}

async function fetchImage(url: string, options: LinkedImageOptions): Promise<Buffer> {
  for (let fetches = 1; ; fetches += 1) {
    try {
      return await options.fetchLink(url, options);
    } catch (error) {
      if (fetches === maxFetches || options.signal.aborted) throw unfetched(url, error);
      await sleep(pauseMs, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }
}

/** The message names the host only, because the path of a link may be a credential. */
function unfetched(url: string, error: unknown): ProviderError {
  const { host } = new URL(url);
  const detail = Reflect.get(Object(error), 'detail') ?? Reflect.get(Object(error), 'message') ?? error;
  return new ProviderError(
    {
      kind: 'unusable',
      code: 'provider_unusable_answer',
      billing: 'possible',
      message: `The provider's response cannot be used: its link to ${host} cannot be fetched: ${detail}`,
      provider: { status: 200 },
    },
    error,
  );
}

function* embedded({ data, ...rest }: LinkedResponse, image: Buffer): Generator<Uint8Array> {
  const [first = {}, ...others] = data.toSorted((a, b) => Number(!a.url) - Number(!b.url));
  const { url: _url, ...item } = first;
  const text = JSON.stringify({ ...rest, data: [{ ...item, b64_json: imageMark }, ...others] });
  const at = text.indexOf(imageMark);
  yield Buffer.from(text.slice(0, at));
  for (let from = 0; from < image.length; from += pieceBytes) {
    yield Buffer.from(image.subarray(from, from + pieceBytes).toString('base64'));
  }
  yield Buffer.from(text.slice(at + imageMark.length));
}
