import type { Client } from 'undici';
import type { ConnectionPool } from './connection-pool.ts';

interface PostRequest {
  /** Whose connections are used. */
  readonly destination: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type PostResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfter: string | string[] | undefined;
      /** The beginning of the body, as text; what came of it by the deadline. */
      readonly excerpt: string;
    }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** `connected`: whether a connection stood and the request went out. */
  | { readonly kind: 'timed_out'; readonly connected: boolean };

const excerptBytes = 4_096;

/**
 * One POST under one deadline for everything: a turn in the pool, name, TCP, TLS, headers and body. Nothing is repeated,
 * no redirect followed, and nothing sent after the deadline. The status decides; the body is read for its beginning, and
 * so that the connection can be used again: when that fails or takes until the deadline, the connection is destroyed
 * and the status stands. Always resolves.
 */
export function postOnce(pool: ConnectionPool, request: PostRequest, timeoutMs: number): Promise<PostResult> {
  const { origin, pathname, search } = request.url;
  const line = { destination: request.destination, origin };
  return new Promise((resolve) => {
    let connection: Client | undefined;
    let connected = false;
    let head: { status: number; retryAfter: string | string[] | undefined } | undefined;
    const beginning: Buffer[] = [];
    let kept = 0;
    let ended = false;

    const end = (result: PostResult, usable: boolean): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      const excerpt = () => Buffer.concat(beginning).toString('utf8');
      resolve(head ? { kind: 'answered', ...head, excerpt: excerpt() } : result);
      if (connection) pool.giveBack(line, connection, usable);
      else leaveLine();
    };
    const timer = setTimeout(() => end({ kind: 'timed_out', connected }, false), timeoutMs);

    const leaveLine = pool.take(line, (taken) => {
      connection = taken;
      const { headers, body } = request;
      taken.dispatch(
        { path: `${pathname}${search}`, method: 'POST', headers, body },
        {
          onRequestStart() {
            connected = true;
          },
          onResponseStart(_controller, status, headers) {
            // Interim answers (1xx) are not the answer.
            if (status >= 200) head = { status, retryAfter: headers['retry-after'] };
          },
          onResponseData(_controller, chunk) {
            if (kept >= excerptBytes) return;
            const part = chunk.subarray(0, excerptBytes - kept);
            kept += part.length;
            // A copy: the chunk is a view of a much larger buffer.
            beginning.push(Buffer.from(part));
          },
          onResponseEnd: () => end({ kind: 'failed', error: new Error('ended without a status') }, true),
          onResponseError: (_controller, error) => end({ kind: 'failed', error }, false),
        },
      );
    });
  });
}
