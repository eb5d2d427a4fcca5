import { Worker } from 'bullmq';
import { dispatch } from '../harness/questions.ts';
import { generateImage } from './generate-image.ts';

/** Makes an image for every job in the tutorial's queue: the least that a service with this queue can do. */
const worker = new Worker('images', (job) => generateImage(String(job.id)), {
  connection: { path: process.env.REDIS_PATH ?? '', maxRetriesPerRequest: null },
  concurrency: Number(process.env.CONCURRENCY),
});
await worker.waitUntilReady();
dispatch();
