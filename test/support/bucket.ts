import type { IncomingMessage } from 'node:http';
import type { TestS3 } from './s3-server.ts';

/** Returns the variables with which the service uses a test bucket. */
export function storageIn(s3: TestS3): Record<string, string> {
  return {
    STORAGE: 's3',
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_BUCKET: s3.bucket,
    S3_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    S3_FORCE_PATH_STYLE: 'true',
  };
}

/** Returns the configuration of the storage adapter for a test bucket. */
export function bucketOf({ bucket, region, endpoint, credentials }: TestS3) {
  return { bucket, region, endpoint, ...credentials, forcePathStyle: true };
}

/** An upload that has arrived and waits for its release. */
export interface HeldUpload {
  /** Storage key. Resolves when the upload has arrived. */
  readonly key: Promise<string>;
  /** Executes the upload and responds to it. Resolves with the status. */
  release(): Promise<number>;
}

/**
 * Delays the next upload to a test bucket until its release. Other uploads pass.
 *
 * @param isHeld selects the upload by its storage key. Default: any.
 */
export function holdFirstUpload(s3: TestS3, isHeld: (key: string) => boolean = () => true): HeldUpload {
  let proceed = () => {};
  const released = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  let executed: Promise<number>;
  const key = new Promise<string>((resolve) => {
    s3.intercept((request, response) => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      const name = decodeURIComponent(path.slice(`/${s3.bucket}/`.length));
      if (request.method !== 'PUT' || !isHeld(name)) return false;
      s3.intercept(null);
      executed = (async () => {
        const body = await bodyOf(request);
        await released;
        const reply = await forward(s3, request, body);
        response.writeHead(reply.status, { etag: reply.headers.get('etag') ?? '' }).end();
        return reply.status;
      })();
      resolve(name);
      return true;
    });
  });
  return {
    key,
    async release() {
      proceed();
      await key;
      return executed;
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Sends a request again with its original signature. */
async function forward(s3: TestS3, request: IncomingMessage, body: Buffer): Promise<Response> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (!['host', 'connection', 'content-length', 'expect', 'transfer-encoding'].includes(name)) {
      headers.set(name, String(value));
    }
  }
  const reply = await fetch(s3.endpoint + request.url, {
    method: 'PUT',
    headers,
    body: new Uint8Array(body),
  });
  await reply.arrayBuffer();
  return reply;
}
