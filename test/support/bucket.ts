import type { IncomingMessage } from 'node:http';
import type { TestS3 } from './s3-server.ts';

/** The variables with which the service uses a test bucket. */
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

/** A test bucket as the storage adapter takes it. */
export function bucketOf({ bucket, region, endpoint, credentials }: TestS3) {
  return { bucket, region, endpoint, ...credentials, forcePathStyle: true };
}

/** An upload that has arrived and is not carried out yet. */
export interface HeldUpload {
  /** Storage key, once the upload has arrived. */
  readonly key: Promise<string>;
  /** Carries the upload out and answers it; resolves with its status. */
  goOn(): Promise<number>;
}

/** Holds the next upload to a test bucket until it is told to go on; later ones pass. */
export function holdFirstUpload(s3: TestS3): HeldUpload {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let carriedOut: Promise<number>;
  const key = new Promise<string>((resolve) => {
    s3.intercept((request, response) => {
      if (request.method !== 'PUT') return false;
      s3.intercept(null);
      carriedOut = (async () => {
        const body = await bodyOf(request);
        await released;
        const reply = await forward(s3, request, body);
        response.writeHead(reply).end();
        return reply;
      })();
      resolve(decodeURIComponent((request.url ?? '').split('?')[0]?.slice(`/${s3.bucket}/`.length) ?? ''));
      return true;
    });
  });
  return {
    key,
    async goOn() {
      release();
      await key;
      return carriedOut;
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Sends a request once more, under its own signature. */
async function forward(s3: TestS3, request: IncomingMessage, body: Buffer): Promise<number> {
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
  return reply.status;
}
