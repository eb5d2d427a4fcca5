import { randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { beginRun, enterStage } from '../../src/domain/job-moves.ts';
import { createProducerRedis, type RedisClient, whenRedisReady } from '../../src/lib/redis/redis.ts';
import { queueNames } from '../../src/outbound/queue/queue-names.ts';
import { createTaskQueue } from '../../src/outbound/queue/task-queue.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import { decodeRecord } from '../../src/outbound/records/record-codec.ts';
import { responseFileName } from '../../src/outbound/spool/spool-name.ts';
import { noiseImage } from '../support/images.ts';
import { attemptOf } from '../support/jobs.ts';
import { asNextRelease, nextRelease, writeRecord } from '../support/next-release.ts';
import { startServiceIn, type TestService } from '../support/service.ts';
import { createEnvironment, imageCalls, type TestEnvironment } from '../support/service-environment.ts';

/** A deployment whose API runs from the start. The test writes data of the next release before it starts the worker. */
let environment: TestEnvironment;
let api: TestService;
let redis: RedisClient;
beforeAll(async () => {
  environment = await createEnvironment();
  api = await startServiceIn(environment, { ROLES: 'api' });
  redis = createProducerRedis(environment.env.REDIS_URL ?? '', { onError: () => undefined });
  await whenRedisReady(redis, 10_000);
  return async () => {
    redis.disconnect();
    await api.close();
    await environment.remove();
  };
});

const prefix = () => environment.env.REDIS_KEY_PREFIX ?? '';
const stored = async (id: string): Promise<ImageJob> =>
  decodeRecord('acme', id, (await redis.get(createKeys(prefix()).job('acme', id))) ?? '');

/** Rewrites the record of a queued job as a process of the next release would. */
async function rewrite(id: string, change: (job: ImageJob) => ImageJob = (job) => job): Promise<void> {
  await writeRecord({ redis, keys: createKeys(prefix()) }, asNextRelease(change(await stored(id))));
}

async function startWorker(): Promise<void> {
  const worker = await startServiceIn(environment, { ROLES: 'worker,webhooks' });
  onTestFinished(worker.close);
}

describe('data of the next release', () => {
  it('a job with newer fields is run, listed and erased by this release, and keeps the fields', async () => {
    const { id } = await api.acme.submit({ prompt: 'Newer record', metadata: { test: 'record' } });
    await rewrite(id);
    await startWorker();
    const job = await api.acme.ended(id);
    const { body: list } = await api.acme.get('/images?metadata[test]=record').expect(200);

    expect(job.status).toBe('succeeded');
    expect(job.attempts.map(({ kind, state }) => [kind, state])).toEqual([
      ['other', 'other'],
      ['generate', 'stored'],
    ]);
    expect(list.data).toEqual([expect.objectContaining({ id, status: 'succeeded' })]);
    expect(imageCalls(environment.studio, 'Newer record')).toHaveLength(1);
    const { budgetHold, variants, attempt } = nextRelease;
    expect(await stored(id)).toMatchObject({
      budgetHold,
      variants,
      attempts: [attempt, { kind: 'generate' }],
    });
    await api.acme.delete(`/images/${id}`).expect(204);
    await api.acme.get(`/images/${id}`).expect(410);
  });

  it('a paid response in a newer format is neither bought again nor removed, and is stored once it can be read', async () => {
    const { id } = await api.acme.submit({ prompt: 'Newer spool file' });
    await rewrite(id, (job) => {
      const running = enterStage(beginRun(job, Date.now()), 'generating', Date.now());
      const attempt = attemptOf({ no: 1, state: 'received', fence: running.fence, startedAt: Date.now() });
      return { ...running, attempts: [attempt] };
    });
    const spool = join(environment.dataDir, 'spool');
    const file = join(spool, responseFileName({ tenant: 'acme', jobId: id, attemptNo: 1 }));
    await mkdir(spool, { recursive: true });
    const image = (await noiseImage(64, 64)).toString('base64');
    const body = JSON.stringify({ created: 1, data: [{ b64_json: image }] });
    await writeFile(file, `{"v":2,"layout":"packed"}\n${body}`);
    await startWorker();

    // Two further runs show that the job waits and is not settled without its response.
    const { fence: runs } = await stored(id);
    await vi.waitFor(async () => expect((await stored(id)).fence).toBeGreaterThan(runs + 1), {
      timeout: 45_000,
      interval: 50,
    });
    expect((await api.acme.job(id)).status).toBe('running');
    expect(imageCalls(environment.studio, 'Newer spool file')).toEqual([]);
    expect(await readdir(spool)).toContain(responseFileName({ tenant: 'acme', jobId: id, attemptNo: 1 }));

    await writeFile(file, `{"v":1,"provider":"openai"}\n${body}`);
    const job = await api.acme.ended(id);
    expect(job).toMatchObject({ status: 'succeeded', images: [{ width: 64, height: 64 }] });
    expect(imageCalls(environment.studio, 'Newer spool file')).toEqual([]);
  });

  it('a task of an unknown kind stays in the queue and does not delay known tasks', async () => {
    const jobs = queueNames(prefix()).jobs;
    const queue = createTaskQueue(redis, jobs);
    onTestFinished(queue.close);
    // The tasks of other tests may be delayed as well.
    const isDelayed = async () =>
      (await redis.zscore(`${jobs.prefix}:${jobs.name}:delayed`, taskId)) !== null;
    const taskId = randomUUID();
    const message = { v: 2, kind: 'render_variant', tenant: 'acme', id: taskId, variant: 'webp' };
    await queue.addMessage(message, { taskId, priority: 'high' });
    await startWorker();
    const job = await api.acme.generate({ prompt: 'Beside a newer task' });

    expect(job.status).toBe('succeeded');
    await vi.waitFor(async () => expect(await isDelayed()).toBe(true), { timeout: 15_000 });
    expect(await queue.has([taskId])).toEqual([true]);
  });
});
