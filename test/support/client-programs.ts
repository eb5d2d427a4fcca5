/** Programs of callers that use generated clients: each generates an image, edits a photo with a mask and downloads both. */

/** Code that both programs share: how a caller reads the unions of the document. */
export const shared = `
declare const process: { argv: string[]; stdout: { write(text: string): void } };
export const [, , baseUrl = '', key = ''] = process.argv;

export function jobOf(body: Job | Preview): Job {
  if (body.object === 'image_preview') throw new Error('a preview of ' + body.estimate.high_micro_usd);
  return body;
}

/** Compiles only if the type of an event determines its shape. */
export function textOf(event: WebhookEvent): string {
  switch (event.type) {
    case 'webhook.test':
      return event.data.endpoint_id;
    case 'budget.threshold':
      return event.data.budget.name + ' ' + event.data.threshold_percent;
    case 'image.failed':
      return event.data.error?.code ?? 'internal';
    default:
      return event.data.images.map(({ url }) => url).join();
  }
}

/** Returns a file of the arguments, in base64. */
const fileOf = (base64 = '') =>
  new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: 'image/png' });
export const photo = fileOf(process.argv[4]);
export const mask = fileOf(process.argv[5]);

async function sha256Of(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

interface Made {
  readonly id: string;
  readonly bytes: ArrayBuffer;
}

export async function report(events: string[], generated: Made, edited: Made): Promise<void> {
  const [sha256, editSha256] = [await sha256Of(generated.bytes), await sha256Of(edited.bytes)];
  process.stdout.write(JSON.stringify({ events, id: generated.id, sha256, editId: edited.id, editSha256 }));
}
`;

/** Program of a client of @hey-api/openapi-ts. */
export const heyApiProgram = `
import {
  createUpload,
  getImageContent,
  getJob,
  rotateWebhookSecret,
  streamImageEvents,
  submitJob,
} from './client';
import { createClient } from './client/client';
import { baseUrl, jobOf, key, mask, photo, report } from './shared';

const client = createClient({ baseUrl, auth: key });
const refused = await submitJob({ client, body: { prompt: ' ' } });
if (refused.error?.code !== 'validation_failed') throw new Error('expected a problem');
// The body is optional.
const unknown = await rotateWebhookSecret({ client, path: { id: 'whk_unknown' } });
if (unknown.error?.code !== 'not_found') throw new Error('expected another problem');

const headers = { 'idempotency-key': 'hey-api' };
const submitted = await submitJob({ client, headers, body: { prompt: 'A fox by a client', quality: 'low' } });
if (!submitted.data) throw new Error(submitted.error.detail);
const { id } = jobOf(submitted.data);
const events: string[] = [];
const { stream } = await streamImageEvents({ client, path: { id } });
for await (const event of stream) {
  // A 204 response, without events, ends the stream of a client that has read them all.
  if (!event) break;
  events.push(event.type);
  if (event.type === 'image.succeeded' && event.job.images.length !== 1) throw new Error('expected one image');
}
async function download(id: string): Promise<{ id: string; bytes: ArrayBuffer }> {
  const { data: job } = await getJob({ client, path: { id }, query: { wait: 20 }, throwOnError: true });
  const path = { id, index: job.images[0]!.index };
  const content = await getImageContent({ client, path, parseAs: 'blob', throwOnError: true });
  return { id, bytes: await content.data.arrayBuffer() };
}

const upload = async (file: Blob) =>
  (await createUpload({ client, body: { file }, throwOnError: true })).data.id;
const edit = await submitJob({
  client,
  body: {
    prompt: 'A scarf by a client',
    quality: 'low',
    images: [{ upload_id: await upload(photo) }],
    mask: { upload_id: await upload(mask) },
  },
});
if (!edit.data) throw new Error(edit.error.detail);
await report(events, await download(id), await download(jobOf(edit.data).id));
`;

/** Program of a client of openapi-fetch. */
export const openapiFetchProgram = `
import createClient from 'openapi-fetch';
import { baseUrl, jobOf, key, mask, photo, report } from './shared';
import type { paths } from './types';

const client = createClient<paths>({ baseUrl, headers: { authorization: 'Bearer ' + key } });
const refused = await client.POST('/images', { body: { prompt: ' ' } });
if (refused.error?.code !== 'validation_failed') throw new Error('expected a problem');

type Body = paths['/images']['post']['requestBody']['content']['application/json'];
async function generate(body: Body) {
  const params = { header: { 'idempotency-key': crypto.randomUUID(), prefer: 'wait=50' } };
  const submitted = await client.POST('/images', { params, body });
  if (!submitted.data) throw new Error(submitted.error.detail);
  const { id, status, images } = jobOf(submitted.data);
  const path = { id, index: images[0]!.index };
  const content = await client.GET('/images/{id}/content/{index}', { params: { path }, parseAs: 'arrayBuffer' });
  if (!content.data) throw new Error(content.error?.detail);
  return { id, status, bytes: content.data };
}

async function upload(file: Blob): Promise<string> {
  const form = new FormData();
  form.append('file', file);
  const { data, error } = await client.POST('/uploads', { body: { file: '' }, bodySerializer: () => form });
  if (!data) throw new Error(error.detail);
  return data.id;
}

const generated = await generate({ prompt: 'A fox by a client', quality: 'low' });
const edited = await generate({
  prompt: 'A scarf by a client',
  quality: 'low',
  images: [{ upload_id: await upload(photo) }],
  mask: { upload_id: await upload(mask) },
});
await report(['image.' + generated.status], generated, edited);
`;
