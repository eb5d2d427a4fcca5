import { connect, type Socket } from 'node:net';

/** One HTTP response as received. */
export interface RawResponse {
  readonly status: number;
  /** Names are in lower case. Values of one name are joined as RFC 9110 says. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Whether the body is complete. `false` for a stream that was left or a connection that broke. */
  readonly complete: boolean;
}

/** Result of sending bytes: a response, a closed connection, or no reaction in time. */
export type Outcome = RawResponse | 'closed' | 'silent';

export interface SendOptions {
  /** Limit for the end of the response. */
  readonly timeoutMs: number;
  /** Whether the response has no body in spite of its headers. */
  readonly isHead?: boolean;
}

/** Sends bytes over a new connection and reads the first final response. Never rejects. */
export function sendRaw(port: number, bytes: Buffer, options: SendOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const parts: Buffer[] = [];
    const finish = (ended: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      const response = readResponse(Buffer.concat(parts), { ended, isHead: options.isHead === true });
      resolve(response ?? (ended ? 'closed' : 'silent'));
    };
    const timer = setTimeout(() => finish(false), options.timeoutMs);
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (part) => {
      parts.push(part);
      const response = readResponse(Buffer.concat(parts), { ended: false, isHead: options.isHead === true });
      if (response?.complete) finish(true);
    });
    socket.on('end', () => finish(true));
    // A reset after the response is normal: the bytes before the reset count.
    socket.on('error', () => finish(true));
    socket.on('close', () => finish(true));
  });
}

/** A connection to which a test writes in parts. */
export interface RawConnection {
  readonly socket: Socket;
  /** Returns the bytes received so far. */
  received(): Buffer;
  /** Resolves when the connection is closed in both directions. */
  readonly gone: Promise<void>;
}

/** Opens a connection that this side does not end when the other side has ended it. */
export function openRaw(port: number): Promise<RawConnection> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    socket.on('data', (part) => parts.push(part));
    const gone = new Promise<void>((done) => socket.once('close', () => done()));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.on('error', () => undefined);
      resolve({ socket, received: () => Buffer.concat(parts), gone });
    });
  });
}

/**
 * Parses one response from the bytes so far and skips interim responses (1xx).
 *
 * @returns `null` as long as the headers are incomplete.
 */
export function readResponse(
  bytes: Buffer,
  options: { ended: boolean; isHead: boolean },
): RawResponse | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.[01] ([0-9]{3})(?: |$)/.exec(statusLine)?.[1] ?? Number.NaN);
  const rest = bytes.subarray(headEnd + 4);
  if (status < 200) return readResponse(rest, options);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  if (options.isHead || status === 204 || status === 304) {
    return { status, headers, body: rest, complete: true };
  }
  return { status, headers, ...bodyOf(headers, rest, options.ended) };
}

function bodyOf(
  headers: Record<string, string>,
  rest: Buffer,
  ended: boolean,
): Pick<RawResponse, 'body' | 'complete'> {
  if (headers['transfer-encoding']?.toLowerCase() === 'chunked') return dechunk(rest);
  const length = headers['content-length'];
  if (length === undefined) return { body: rest, complete: ended };
  return { body: rest.subarray(0, Number(length)), complete: rest.length >= Number(length) };
}

function dechunk(bytes: Buffer): Pick<RawResponse, 'body' | 'complete'> {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) return { body: Buffer.concat(parts), complete: false };
    if (size === 0) return { body: Buffer.concat(parts), complete: true };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
