import type { AddressInfo } from 'node:net';
import { Job, Queue } from 'bullmq';
import express from 'express';
import { reportReady } from '../harness/queries.ts';

/** The service as tutorials build it. The queue is the only storage, and the job contains the prompt. */
const queue = new Queue('images', { connection: { path: process.env.REDIS_PATH ?? '' } });

const app = express();
app.use(express.json());

app.post('/images', async (req, res) => {
  const { prompt, size, quality } = req.body;
  if (typeof prompt !== 'string' || prompt === '') {
    res.status(400).json({ error: 'prompt is required' });
    return;
  }
  const job = await queue.add(
    'generate',
    { prompt, size, quality },
    { attempts: 3, backoff: { type: 'exponential', delay: 1000 } },
  );
  res.status(202).json({ id: job.id, status: 'queued' });
});

app.get('/images/:id', async (req, res) => {
  const job = await Job.fromId(queue, req.params.id);
  if (!job) {
    res.status(404).json({ error: 'not found' });
    return;
  }
  const state = await job.getState();
  res.json({ id: job.id, status: state, result: job.returnvalue, error: job.failedReason });
});

const server = app.listen(0, '127.0.0.1', () => reportReady((server.address() as AddressInfo).port));
