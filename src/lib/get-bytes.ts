import { type Dispatcher, request } from 'undici';

interface GetOptions {
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests a URL once and returns its bytes. Follows no redirect. @throws Error for any status but 200 and a large body. */
export async function getBytes(url: string | URL, options: GetOptions): Promise<Buffer> {
  const { dispatcher, signal, maxBytes } = options;
  const headers = { 'accept-encoding': 'identity', ...options.headers };
  const { statusCode, body } = await request(url, { dispatcher, signal, headers });
  try {
    if (statusCode !== 200) throw new Error(`the server responded with status ${statusCode}`);
    const parts: Buffer[] = [];
    let sizeBytes = 0;
    for await (const part of body as AsyncIterable<Buffer>) {
      sizeBytes += part.length;
      if (sizeBytes > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts, sizeBytes);
  } finally {
    // An unread rest would occupy the connection. The error of a destroyed body concerns no reader.
    body.on('error', () => undefined).destroy();
  }
}
