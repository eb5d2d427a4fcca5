import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { testKeys } from './service-environment.ts';

/** Response to a request with files, from whatever entry. */
export interface EntryResponse {
  readonly status: number;
  readonly code: string;
  /** Pointer of the first error. */
  readonly pointer: string | undefined;
  /** Name of the field that OpenAI's clients show. */
  readonly param: string | null;
  readonly detail: string;
  /** Time from the last byte of the request to the end of its response. */
  readonly tookMs: number;
}

/** Fields of an edit besides its inputs. */
export const editFields = {
  prompt: 'Make it snow',
  model: 'gpt-image-2.6-flare',
  size: '1024x1024',
  quality: 'low',
};

export type FilesOfForm = readonly (readonly [field: string, bytes: Buffer])[];

const boundary = 'boundary-of-the-tests';

/** Creates a form with files that precede its fields. */
export function formBody(files: FilesOfForm, fields: Readonly<Record<string, string>> = {}): Buffer {
  const part = (head: string, bytes: Buffer | string) => [
    Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(bytes as string),
    Buffer.from('\r\n'),
  ];
  return Buffer.concat([
    ...files.flatMap(([name, bytes]) => part(`name="${name}"; filename="photo.png"`, bytes)),
    ...Object.entries(fields).flatMap(([name, text]) => part(`name="${name}"`, text)),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}

export const formType = `multipart/form-data; boundary=${boundary}`;

export interface EntryRequest {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Sends a request and reads its refusal. */
export async function sendEntry(
  url: string,
  { path, contentType, body }: EntryRequest,
): Promise<EntryResponse> {
  let sentAt = performance.now();
  const call = request(url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${testKeys.acme}`,
      'content-type': contentType,
      'content-length': body.length,
    },
  });
  call.once('finish', () => {
    sentAt = performance.now();
  });
  // The connection may end while the rest of a refused body is sent.
  call.on('error', () => undefined);
  call.end(body);
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const { code = '', detail = '', errors = [], error } = JSON.parse(await text(response));
  const tookMs = performance.now() - sentAt;
  // A body that is refused early is not sent to its end.
  call.destroy();
  return {
    status: response.statusCode ?? 0,
    ...{ code, detail, pointer: errors[0]?.pointer, param: error?.param ?? null, tookMs },
  };
}

/** A way to send a file to the service. */
export interface Entry {
  readonly name: string;
  readonly isOpenAi: boolean;
  readonly pointer: string;
  readonly param: string;
  requestOf(bytes: Buffer): EntryRequest;
}

const json = (path: string, body: object): EntryRequest => ({
  path,
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify(body)),
});
const form = (path: string, ...parts: Parameters<typeof formBody>): EntryRequest => ({
  path,
  contentType: formType,
  body: formBody(...parts),
});
const dataUrl = (bytes: Buffer) => `data:image/png;base64,${bytes.toString('base64')}`;

/** Every entry for the bytes of an image. */
export const entries: readonly Entry[] = [
  {
    ...{ name: 'a form of POST /images', isOpenAi: false, pointer: '/images/0', param: 'images.0' },
    requestOf: (bytes) => form('/images', [['image[]', bytes]], editFields),
  },
  {
    ...{ name: 'data of POST /images', isOpenAi: false, pointer: '/images/0', param: 'images.0' },
    requestOf: (bytes) => json('/images', { ...editFields, images: [{ data: bytes.toString('base64') }] }),
  },
  {
    ...{ name: 'a body of POST /uploads', isOpenAi: false, pointer: '/file', param: 'file' },
    requestOf: (body) => ({ path: '/uploads', contentType: 'image/png', body }),
  },
  {
    ...{ name: 'a form of POST /uploads', isOpenAi: false, pointer: '/file', param: 'file' },
    requestOf: (bytes) => form('/uploads', [['file', bytes]]),
  },
  {
    ...{ name: 'a form of POST /v1/images/edits', isOpenAi: true, pointer: '/images/0', param: 'image' },
    requestOf: (bytes) => form('/v1/images/edits', [['image', bytes]], editFields),
  },
  {
    ...{
      name: 'a data URL of POST /v1/images/edits',
      isOpenAi: true,
      pointer: '/images/0',
      param: 'images.0',
    },
    requestOf: (bytes) =>
      json('/v1/images/edits', { ...editFields, images: [{ image_url: dataUrl(bytes) }] }),
  },
  {
    ...{ name: 'a form of POST /v1/files', isOpenAi: true, pointer: '/file', param: 'file' },
    requestOf: (bytes) => form('/v1/files', [['file', bytes]], { purpose: 'vision' }),
  },
];
