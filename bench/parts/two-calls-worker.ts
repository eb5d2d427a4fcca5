import { Worker } from 'bullmq';
import { announce } from '../harness/questions.ts';
import { makePicture } from './generate-image.ts';

/** Makes a picture for every job in the tutorial's queue: the least that a service with this queue can do. */
const worker = new Worker('images', (job) => makePicture(String(job.id)), {
  connection: { path: process.env.REDIS_PATH ?? '', maxRetriesPerRequest: null },
  concurrency: Number(process.env.CONCURRENCY),
});
await worker.waitUntilReady();
announce();
