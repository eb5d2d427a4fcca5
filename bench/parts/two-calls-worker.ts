import { Worker } from 'bullmq';
import { reportReady } from '../harness/queries.ts';
import { generateImage } from './generate-image.ts';

/** Generates an image for every job in the tutorial queue. This is the minimal work of a service with this queue. */
const worker = new Worker('images', (job) => generateImage(String(job.id)), {
  connection: { path: process.env.REDIS_PATH ?? '', maxRetriesPerRequest: null },
  concurrency: Number(process.env.CONCURRENCY),
});
await worker.waitUntilReady();
reportReady();
