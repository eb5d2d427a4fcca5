import { Pool } from 'undici';
import type { Closers } from '../../src/lib/closers.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import type { Child } from '../harness/child.ts';
import { type EndWatch, watchEnds } from '../harness/end-watch.ts';
import type { BenchRedis } from '../harness/redis.ts';
import { authorization, keyPrefix, startDarkroom, tenant } from './darkroom.ts';
import { startTutorialApi, startTutorialWorker } from './tutorial.ts';

/** What a worker needs around it. */
export interface Surroundings {
  readonly redis: BenchRedis;
  readonly providerUrl: string;
  readonly s3Url: string;
}

/** One of the two services, seen from outside: an API process, workers, and a way to see jobs end. */
export interface Service {
  readonly name: string;
  readonly api: Child;
  readonly ends: EndWatch;
  startWorker(concurrency: number): Promise<Child>;
  /** Submits a job for one picture. @returns its id. @throws Error when it is not accepted. */
  submit(): Promise<string>;
}

/** Starts the API of both services. */
export async function startServices(
  around: Surroundings,
  closers: Closers,
): Promise<{ darkroom: Service; tutorial: Service }> {
  const { redis, providerUrl, s3Url } = around;
  const openJobs = createKeys(keyPrefix).open(tenant);
  const darkroomApi = await startDarkroom(redis, { role: 'api', s3Url }, closers);
  const tutorialApi = await startTutorialApi(redis, closers);
  const worker = { providerUrl, s3Url };
  return {
    darkroom: {
      name: 'Darkroom',
      api: darkroomApi,
      ends: watchEnds(redis.client, { sortedSet: openJobs, present: false }),
      startWorker: (concurrency) => startDarkroom(redis, { role: 'worker', concurrency, ...worker }, closers),
      submit: submitTo(darkroomApi, closers),
    },
    tutorial: {
      name: 'tutorial',
      api: tutorialApi,
      ends: watchEnds(redis.client, { sortedSet: 'bull:images:completed', present: true }),
      startWorker: (concurrency) => startTutorialWorker(redis, { concurrency, ...worker }, closers),
      submit: submitTo(tutorialApi, closers),
    },
  };
}

function submitTo(api: Child, closers: Closers): () => Promise<string> {
  const pool = closers.add(new Pool(api.url), (each) => each.destroy());
  return async () => {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/images',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({
        prompt: 'A lighthouse in a storm, oil on canvas',
        size: '1024x1024',
        quality: 'high',
      }),
    });
    const answer = await body.text();
    if (statusCode !== 202) throw new Error(`a job was not accepted: ${statusCode} ${answer}`);
    return (JSON.parse(answer) as { id: string }).id;
  };
}
