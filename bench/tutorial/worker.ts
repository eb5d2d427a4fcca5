import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Worker } from 'bullmq';
import { OpenAI } from 'openai';
import { reportReady } from '../harness/queries.ts';

/** The worker as tutorials write it: call, decode, upload. Keys and addresses come from the environment. */
const openai = new OpenAI();
const s3 = new S3Client({ forcePathStyle: true });
const bucket = process.env.S3_BUCKET ?? '';

const worker = new Worker(
  'images',
  async (job) => {
    const { prompt, size, quality } = job.data;
    const response = await openai.images.generate({ model: 'gpt-image-1', prompt, size, quality });
    const base64 = response.data?.[0]?.b64_json;
    if (!base64) throw new Error('no image in the response');
    const key = `images/${job.id}.png`;
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: Buffer.from(base64, 'base64'),
        ContentType: 'image/png',
      }),
    );
    return { key };
  },
  {
    connection: { path: process.env.REDIS_PATH ?? '', maxRetriesPerRequest: null },
    concurrency: Number(process.env.CONCURRENCY),
  },
);
await worker.waitUntilReady();
reportReady();
