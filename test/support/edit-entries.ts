import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import { sha256 } from './images.ts';
import { dataUrl, formOf, postEdit } from './openai-edits.ts';
import type { RecordingProvider } from './recording-provider.ts';
import type { TestService } from './service.ts';

/** The forms of request in which a caller can send an edit. */

/** An edit before it has a form. */
export interface Edit {
  readonly images: readonly Buffer[];
  readonly mask?: Buffer;
  readonly markup?: Buffer;
  /** Fields with the names of `POST /images`, which are those of the provider. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Deployment {
  readonly service: TestService;
  readonly provider: RecordingProvider;
}

export interface EditEntry {
  readonly name: string;
  /** Sends an edit. Resolves when its job has ended. */
  send(deployment: Deployment, edit: Edit): Promise<void>;
}

/** Fields of section "multipart" of the provider's edits, in sets that one model takes together. */
export const fieldSets = {
  photo: {
    prompt: 'Make it snow\r\n"softly" — 雪',
    model: 'gpt-image-2.6-flare',
    size: '1536x1024',
    quality: 'low',
    background: 'opaque',
    complexity: 'low',
    output_format: 'webp',
    output_compression: 80,
    safety_identifier: 'user-1',
  },
  fidelity: { prompt: 'The same face', model: 'gpt-image-1.5', input_fidelity: 'high', quality: 'high' },
  animation: {
    prompt: 'It blinks',
    model: 'gpt-image-2.6-flare',
    output_format: 'gif',
    frame_count: 3,
    frame_duration_ms: 120,
  },
  drawing: {
    prompt: 'As a logo',
    model: 'gpt-image-2.6-flare',
    output_format: 'svg',
    svg: { model: 'gpt-5.4', reasoning: { effort: 'low' } },
  },
  previews: { prompt: 'Slowly', model: 'gpt-image-2.6-flare', partial_images: 2 },
} as const;
export type FieldSet = keyof typeof fieldSets;

/** Returns the fields that the provider must receive, as texts of a form. The service replaces the safety identifier. */
export function textsOf(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  const { partial_images } = fields;
  const streaming = partial_images === undefined ? {} : { stream: 'true' };
  const { safety_identifier: _, ...texts } = nestedTexts(fields);
  return { n: '1', size: 'auto', ...texts, ...streaming };
}

function nestedTexts(value: object, name = ''): Record<string, string> {
  const entries = Object.entries(value).map(([key, member]) => {
    const path = name === '' ? key : `${name}[${key}]`;
    return typeof member === 'object' ? nestedTexts(member, path) : { [path]: String(member) };
  });
  return Object.assign({}, ...entries);
}

/** Returns the files of a form, in their order. */
function formFiles({ images, mask, markup }: Edit, imageField: string): (readonly [string, Buffer])[] {
  return [
    ...images.map((bytes) => [imageField, bytes] as const),
    ...(mask ? [['mask', mask] as const] : []),
    ...(markup ? [['markup', markup] as const] : []),
  ];
}

/** Returns the files that the provider must receive, with their digests. */
export const filesOf = (edit: Edit): [field: string, digest: string][] =>
  formFiles(edit, edit.images.length === 1 ? 'image' : 'image[]').map(([field, bytes]) => [
    field,
    sha256(bytes),
  ]);

/** Returns an entry of the native API whose inputs are named in JSON. */
const nativeJson = (
  name: string,
  nameOf: (deployment: Deployment, bytes: Buffer) => Promise<object>,
): EditEntry => ({
  name,
  async send(deployment, { images, mask, markup, fields }) {
    const named: object[] = [];
    for (const bytes of images) named.push(await nameOf(deployment, bytes));
    const overlays = {
      ...(mask ? { mask: await nameOf(deployment, mask) } : {}),
      ...(markup ? { markup: await nameOf(deployment, markup) } : {}),
    };
    deployment.provider.requests.splice(0);
    checkSucceeded(await deployment.service.acme.generate({ ...fields, images: named, ...overlays }));
  },
});

function checkSucceeded({ status, error }: ImageJobView): void {
  if (status !== 'succeeded') throw new Error(`the job ended as ${status}: ${error?.message}`);
}

const nativeForm: EditEntry = {
  name: 'a form of POST /images',
  async send({ service }, edit) {
    let form = service.acme.post('/images');
    for (const [field, bytes] of formFiles(edit, 'image[]')) form = form.attach(field, bytes, 'a');
    for (const [name, value] of Object.entries(edit.fields))
      form = form.field(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
    const { body } = await form.expect(202);
    checkSucceeded(await service.acme.ended(body.id));
  },
};

async function upload({ service }: Deployment, bytes: Buffer): Promise<string> {
  return (await service.acme.post('/uploads').attach('file', bytes, 'a').expect(201)).body.id;
}

/** Makes a job whose image has the given bytes. */
async function imageWith({ service, provider }: Deployment, bytes: Buffer): Promise<object> {
  provider.respondOnce((response) =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ created: 1, data: [{ b64_json: bytes.toString('base64') }] })),
  );
  const job = await service.acme.generate({ prompt: 'Earlier' });
  checkSucceeded(job);
  return { image_id: job.id, index: 0 };
}

/** Serves a file once. Returns the input that names it. */
export async function urlOf(bytes: Buffer): Promise<{ readonly url: string }> {
  const server = createServer((_request, response) => {
    response.end(bytes);
    server.close();
  });
  await once(server.listen(0, '127.0.0.1').unref(), 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/a` };
}

/** Returns fields of the native API as a client of OpenAI sends them. */
export const streamed = (fields: Edit['fields']) => ({
  ...fields,
  ...(fields.partial_images === undefined ? {} : { stream: true }),
});

async function post(url: string, body: FormData | string): Promise<void> {
  const { status, body: response } = await postEdit(url, body);
  if (status !== 200) throw new Error(`the edit got ${status}: ${JSON.stringify(response)}`);
}

const openAiForm: EditEntry = {
  name: 'a form of POST /v1/images/edits',
  async send({ service }, edit) {
    await post(service.url, formOf(nestedTexts(streamed(edit.fields)), formFiles(edit, 'image[]')));
  },
};

const openAiJson = (
  name: string,
  nameOf: (deployment: Deployment, bytes: Buffer) => Promise<object>,
): EditEntry => ({
  name,
  async send(deployment, { images, mask, markup, fields }) {
    const named = await Promise.all(images.map((bytes) => nameOf(deployment, bytes)));
    const overlays = {
      ...(mask ? { mask: await nameOf(deployment, mask) } : {}),
      ...(markup ? { markup: await nameOf(deployment, markup) } : {}),
    };
    await post(deployment.service.url, JSON.stringify({ ...streamed(fields), images: named, ...overlays }));
  },
});

/** Entries in which each form of request occurs once. */
export const formEntries: readonly EditEntry[] = [
  nativeForm,
  nativeJson('data of POST /images', async (_, bytes) => ({ data: bytes.toString('base64') })),
  openAiForm,
  openAiJson('data URLs of POST /v1/images/edits', async (_, bytes) => ({ image_url: dataUrl(bytes) })),
];

/** All entries: each form of request, and each origin of inputs. */
export const editEntries: readonly EditEntry[] = [
  ...formEntries,
  nativeJson('uploads', async (deployment, bytes) => ({ upload_id: await upload(deployment, bytes) })),
  nativeJson('images of earlier jobs', imageWith),
  nativeJson('URLs', (_, bytes) => urlOf(bytes)),
  openAiJson('file ids of POST /v1/images/edits', async (deployment, bytes) => ({
    file_id: await upload(deployment, bytes),
  })),
];
