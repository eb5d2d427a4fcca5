import { Pool } from 'undici';
import type { Closers } from '../../src/lib/closers.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import type { Child } from '../harness/child.ts';
import { type EndWatch, watchEnds } from '../harness/end-watch.ts';
import type { BenchRedis } from '../harness/redis.ts';
import { authorization, keyPrefix, startDarkroom, tenant } from './darkroom.ts';
import { startTutorialApi, startTutorialWorker } from './tutorial.ts';

/** Dependencies of a worker. */
export interface Environment {
  readonly redis: BenchRedis;
  readonly providerUrl: string;
  readonly s3Url: string;
}

/** A service under comparison, seen from outside: an API process, workers, and a way to detect ended jobs. */
export interface Service {
  readonly name: string;
  readonly api: Child;
  readonly ends: EndWatch;
  startWorker(concurrency: number): Promise<Child>;
  /** Submits a job for one image. @returns its id. @throws Error if the job is not accepted. */
  submit(): Promise<string>;
}

/** Starts the API of both services. */
export async function startServices(
  environment: Environment,
  closers: Closers,
): Promise<{ darkroom: Service; tutorial: Service }> {
  const { redis, providerUrl, s3Url } = environment;
  const api = await startDarkroom(redis, { role: 'api', s3Url }, closers);
  const worker = { role: 'worker', providerUrl, s3Url } as const;
  return {
    darkroom: {
      name: 'Darkroom',
      api,
      ends: watchEnds(redis.client, { sortedSet: createKeys(keyPrefix).open(tenant), present: false }),
      startWorker: (concurrency) => startDarkroom(redis, { ...worker, concurrency }, closers),
      submit: submitTo(api, closers),
    },
    tutorial: await startTutorial(environment, closers),
  };
}

/** Starts only the API of the tutorial service. */
export async function startTutorial(environment: Environment, closers: Closers): Promise<Service> {
  const { redis, providerUrl, s3Url } = environment;
  const api = await startTutorialApi(redis, closers);
  return {
    name: 'tutorial',
    api,
    ends: watchEnds(redis.client, { sortedSet: 'bull:images:completed', present: true }),
    startWorker: (concurrency) => startTutorialWorker(redis, { concurrency, providerUrl, s3Url }, closers),
    submit: submitTo(api, closers),
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
    const response = await body.text();
    if (statusCode !== 202) throw new Error(`a job was not accepted: ${statusCode} ${response}`);
    return (JSON.parse(response) as { id: string }).id;
  };
}
