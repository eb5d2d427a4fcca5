/**
 * Submits a job, waits for its image and saves it.
 *
 *   DARKROOM_URL=http://localhost:8080 DARKROOM_API_KEY=... node --import tsx examples/generate-image.ts "A fox in the snow" fox.png
 */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const { DARKROOM_URL = 'http://localhost:8080', DARKROOM_API_KEY } = process.env;
const [prompt = 'A lighthouse in a storm, oil on canvas', file = 'image.png'] = process.argv.slice(2);

/** The members of a job that this program uses. `npx openapi-typescript openapi.yaml` generates complete types. */
interface Job {
  id: string;
  status: 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled' | 'expired';
  images: { url: string; width: number; height: number; sha256: string }[];
  error: { code: string; message: string; retryable: boolean } | null;
  cost: { micro_usd: number | null };
}

interface Problem {
  code: string;
  detail: string;
  retryable: boolean;
  errors: { pointer: string; detail: string }[];
}

/** Calls the API. Retries broken connections and retryable errors, at most 5 times. */
async function call(path: string, init: RequestInit = {}): Promise<Job> {
  const headers = { authorization: `Bearer ${DARKROOM_API_KEY}`, ...init.headers };
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(new URL(path, DARKROOM_URL), { ...init, headers }).catch((error) => {
      // The request may have been accepted. The idempotency key makes a retry safe.
      if (attempt === 5) throw error;
      return null;
    });
    if (response?.ok) return (await response.json()) as Job;
    if (response) {
      const problem = (await response.json()) as Problem;
      if (!problem.retryable || attempt === 5) {
        throw new Error(`${problem.code}: ${problem.detail} ${JSON.stringify(problem.errors)}`);
      }
    }
    await sleep(1000 * Number(response?.headers.get('retry-after') ?? attempt));
  }
}

let job = await call('/images', {
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    // One key per image. Store it before the call, or use the id of a row, so that a restart retries with the same key.
    'idempotency-key': randomUUID(),
  },
  body: JSON.stringify({ prompt, size: '1024x1024' }),
});
console.log(`${job.id} accepted`);

// An image may take minutes. Each of these calls waits for at most 50 seconds.
while (job.status === 'queued' || job.status === 'running') {
  job = await call(`/images/${job.id}?wait=50`);
  console.log(`${job.id} ${job.status}`);
}

const [image] = job.images;
if (!image) throw new Error(`No image: ${job.error?.code ?? job.status} ${job.error?.message ?? ''}`);

// The link is signed and may lead to another host, so it must not get the API key.
const download = await fetch(image.url);
if (!download.ok) throw new Error(`The image could not be downloaded: ${download.status}`);
await writeFile(file, Buffer.from(await download.arrayBuffer()));
const cost = job.cost.micro_usd === null ? 'unknown' : `${job.cost.micro_usd / 1_000_000} USD`;
console.log(`${file} ${image.width}x${image.height}, cost ${cost}`);
