/**
 * Edits a photo, saves the result, then erases the job with its copy of the photo.
 *
 *   DARKROOM_URL=http://localhost:8080 DARKROOM_API_KEY=... \
 *     node --import tsx examples/edit-image.ts "As a watercolor" photo.jpg edited.png [mask.png]
 */
import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { writeFile } from 'node:fs/promises';

const { DARKROOM_URL = 'http://localhost:8080', DARKROOM_API_KEY } = process.env;
const [prompt = 'As a watercolor', photo = 'photo.jpg', file = 'edited.png', mask] = process.argv.slice(2);
const headers = { authorization: `Bearer ${DARKROOM_API_KEY}` };

/** The members of a job that this program uses. */
interface Job {
  id: string;
  status: 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled' | 'expired';
  images: { url: string; width: number; height: number }[];
  inputs: { role: string; width: number; height: number; sha256: string }[];
  error: { code: string; message: string } | null;
}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(new URL(path, DARKROOM_URL), {
    ...init,
    headers: { ...headers, ...init.headers },
  });
  if (response.ok) return response;
  const { code, detail, errors } = (await response.json()) as {
    code: string;
    detail: string;
    errors: unknown;
  };
  throw new Error(`${code}: ${detail} ${JSON.stringify(errors)}`);
}

// The files stream from the disk. Their types are found in their bytes.
const form = new FormData();
form.set('prompt', prompt);
form.append('image[]', await openAsBlob(photo), 'photo');
if (mask !== undefined) form.set('mask', await openAsBlob(mask), 'mask');
const accepted = await call('/images', {
  method: 'POST',
  // The key covers the content of the files: the same key with another photo is refused.
  headers: { 'idempotency-key': randomUUID() },
  body: form,
});

let job = (await accepted.json()) as Job;
for (const { role, width, height, sha256 } of job.inputs)
  console.log(`${role} ${width}x${height} ${sha256.slice(0, 8)}`);
while (job.status === 'queued' || job.status === 'running') {
  job = (await (await call(`/images/${job.id}?wait=50`)).json()) as Job;
}

const [image] = job.images;
if (!image) throw new Error(`No image: ${job.error?.code ?? job.status} ${job.error?.message ?? ''}`);
// The link is signed and may lead to another host, so it must not get the API key.
const download = await fetch(image.url);
if (!download.ok) throw new Error(`The image could not be downloaded: ${download.status}`);
await writeFile(file, Buffer.from(await download.arrayBuffer()));
console.log(`${file} ${image.width}x${image.height}`);

await call(`/images/${job.id}`, { method: 'DELETE' });
console.log(`${job.id} erased`);
