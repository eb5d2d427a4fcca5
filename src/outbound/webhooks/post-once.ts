import type { Client } from 'undici';
import type { ConnectionPool } from './connection-pool.ts';

interface PostRequest {
  /** Destination whose connections are used. */
  readonly destination: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type PostResult =
  | {
      readonly kind: 'responded';
      readonly status: number;
      readonly retryAfter: string | string[] | undefined;
      /** Beginning of the body as text, as far as it arrived before the deadline. */
      readonly excerpt: string;
    }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** `connected` is true if a connection was open and the request was sent. */
  | { readonly kind: 'timed_out'; readonly connected: boolean };

const excerptBytes = 4_096;

/**
 * Sends one POST. One deadline covers the wait for a connection, name resolution, TCP, TLS, headers and body. Does not
 * retry, follows no redirect and sends nothing after the deadline. Never rejects.
 *
 * The status determines the result. The body is read for its beginning, and to make the connection reusable. If reading
 * the body fails or exceeds the deadline, the connection is destroyed and the status remains the result.
 */
export function postOnce(pool: ConnectionPool, request: PostRequest, timeoutMs: number): Promise<PostResult> {
  const { origin, pathname, search } = request.url;
  const line = { destination: request.destination, origin };
  return new Promise((resolve) => {
    let connection: Client | undefined;
    let connected = false;
    let head: { status: number; retryAfter: string | string[] | undefined } | undefined;
    const beginning: Buffer[] = [];
    let excerptLength = 0;
    let ended = false;

    const end = (result: PostResult, usable: boolean): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      const excerpt = () => Buffer.concat(beginning).toString('utf8');
      resolve(head ? { kind: 'responded', ...head, excerpt: excerpt() } : result);
      if (connection) pool.release(line, connection, usable);
      else leaveLine();
    };
    const timer = setTimeout(() => end({ kind: 'timed_out', connected }, false), timeoutMs);

    const leaveLine = pool.acquire(line, (acquired) => {
      connection = acquired;
      const { headers, body } = request;
      acquired.dispatch(
        { path: `${pathname}${search}`, method: 'POST', headers, body },
        {
          onRequestStart() {
            connected = true;
          },
          onResponseStart(_controller, status, headers) {
            // Informational responses (1xx) precede the final response.
            if (status >= 200) head = { status, retryAfter: headers['retry-after'] };
          },
          onResponseData(_controller, chunk) {
            if (excerptLength >= excerptBytes) return;
            const part = chunk.subarray(0, excerptBytes - excerptLength);
            excerptLength += part.length;
            // The chunk is copied, because it is a view of a much larger buffer.
            beginning.push(Buffer.from(part));
          },
          onResponseEnd: () => end({ kind: 'failed', error: new Error('ended without a status') }, true),
          onResponseError: (_controller, error) => end({ kind: 'failed', error }, false),
        },
      );
    });
  });
}
