import type { ImageJob } from '../../src/domain/image-job.ts';
import { addThumbnail } from '../../src/domain/job-thumbnails.ts';
import type { Closers } from '../../src/lib/closers.ts';
import { watchEnds } from '../harness/end-watch.ts';
import type { BenchRedis } from '../harness/redis.ts';
import { authorization, createDataDir, keyPrefix, startDarkroom, tenant } from './darkroom.ts';
import { startProvider } from './provider.ts';
import { openRecords } from './records.ts';

/** A job as the service leaves it. */
export interface EndedJob {
  readonly name: string;
  readonly job: ImageJob;
  /** Bytes in Redis besides the record, as docs/operating.md computes them. */
  readonly besidesBytes: number;
}

interface Kind {
  readonly name: string;
  readonly besidesBytes: number;
  readonly fields?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isCanceled?: true;
}

const thumbhash = '1QcSHQRnh493V4dIh4eXh1h4kJUI';
/** A text that occurs in no other part of a record. The copies of a job replace it by their own id. */
const ownValue = (id: string) => `order-${id}`;

const kinds: readonly Kind[] = [
  { name: 'without metadata', besidesBytes: 870 },
  {
    name: 'with an Idempotency-Key',
    besidesBytes: 870 + 240,
    headers: { 'idempotency-key': 'avatar-of-user-4711' },
  },
  {
    name: 'with two metadata pairs, one of them different',
    besidesBytes: 870 + 300,
    fields: { metadata: { customer: 'acme' } },
  },
  { name: 'canceled before it ran', besidesBytes: 870, isCanceled: true },
];

/** Makes one job of each kind through the service. */
export async function createEndedJobs(redis: BenchRedis, closers: Closers): Promise<EndedJob[]> {
  const provider = await startProvider(closers);
  const dataDir = await createDataDir(closers);
  const api = await startDarkroom(redis, { role: 'api', dataDir }, closers);
  const { records, keys } = openRecords(redis, keyPrefix, closers);
  const ends = watchEnds(redis.client, { sortedSet: keys.open(tenant), present: false });

  async function send(path: string, { fields, headers }: Pick<Kind, 'fields' | 'headers'>): Promise<string> {
    const body = JSON.stringify({
      prompt: 'A lighthouse in a storm, oil on canvas',
      quality: 'low',
      ...fields,
    });
    const response = await fetch(api.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization, ...headers },
      body,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return (JSON.parse(text) as { id: string }).id;
  }

  const ids: string[] = [];
  for (const kind of kinds) {
    const id = await send('/images', kind);
    if (kind.isCanceled)
      await fetch(`${api.url}/images/${id}/cancel`, { method: 'POST', headers: { authorization } });
    ids.push(id);
  }
  const worker = await startDarkroom(redis, { role: 'worker', providerUrl: provider.url, dataDir }, closers);
  await Promise.all(ids.map((id) => ends.ended(id)));
  const jobs = await Promise.all(ids.map((id) => records.get(tenant, id)));
  await Promise.all([worker.stop(), api.stop(), provider.stop()]);
  return kinds.map(({ name, besidesBytes, fields }, i) => {
    const job = jobs[i];
    if (!job || job.status === 'failed') throw new Error(`${name}: the job did not end well`);
    return { name, besidesBytes, job: withOwnValue(withThumbnail(job), fields !== undefined) };
  });
}

const withThumbnail = (job: ImageJob): ImageJob =>
  job.images.length === 0 ? job : addThumbnail(job, 0, { thumbhash, nowMs: job.updatedAt });

function withOwnValue(job: ImageJob, hasMetadata: boolean): ImageJob {
  if (!hasMetadata || !job.request) return job;
  const metadata = { ...job.request.metadata, order: ownValue(job.id) };
  return { ...job, request: { ...job.request, metadata } };
}
