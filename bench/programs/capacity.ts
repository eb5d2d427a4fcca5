import { createHash } from 'node:crypto';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { ids } from '../../src/lib/ids.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { type BenchRedis, startBenchRedis } from '../harness/redis.ts';
import { figure, table, times } from '../harness/table.ts';
import { keyPrefix, tenant } from '../parts/darkroom.ts';
import { createEndedJobs, type EndedJob } from '../parts/ended-jobs.ts';
import { openRecords, type RecordStore } from '../parts/records.ts';

const jobsOfAllKinds = 40_000;
const jobsOfAllKindsInFull = 1_000_000;
const jobsPerTurn = 500;
/** Maximum memory by the computation in docs/operating.md. */
const maxRatio = 1.05;

/** Default limits of a tenant, `MAX_STORED_JOBS` and `MAX_STORED_BYTES`. */
const storage = { maxRecords: 2_000_000, maxBytes: 8 * 1024 ** 3 };

/** Measures how much memory of Redis ended jobs take, and compares it with the computation in docs/operating.md. */
export const capacity: Program = {
  name: 'capacity',
  title: 'memory of Redis for ended jobs of one tenant, in bytes per job',
  run,
};

interface Size {
  readonly name: string;
  readonly recordBytes: number;
  readonly bytes: number;
  readonly computedBytes: number;
}

async function run(options: RunOptions): Promise<Outcome> {
  const redis = await startBenchRedis(options.closers, options.say);
  options.say('making one job of each kind');
  const kinds = await createEndedJobs(redis, options.closers);
  await redis.clear();
  const store = openRecords(redis, keyPrefix, options.closers);
  const count = (options.full ? jobsOfAllKindsInFull : jobsOfAllKinds) / kinds.length;
  // The keys that exist once are no cost of a job.
  for (const kind of kinds) await fill(store, kind, 1);
  const sizes: Size[] = [];
  for (const kind of kinds) {
    options.say(`storing ${count.toLocaleString('en-US')} jobs: ${kind.name}`);
    sizes.push(await measure({ redis, store }, kind, count));
  }
  const total = await usedMemory(redis);
  const of = (part: 'bytes' | 'computedBytes') => sizes.reduce((sum, each) => sum + each[part], 0);
  return {
    tables: [
      describeMachine(redis.version, Date.now()),
      table(
        ['job', 'record', 'Redis in total', 'computed', 'ratio'],
        sizes.map(({ name, recordBytes, bytes, computedBytes }) => [
          name,
          ...[recordBytes, bytes, computedBytes].map(figure),
          times(bytes / computedBytes),
        ]),
      ),
      `${(count * kinds.length).toLocaleString('en-US')} jobs in ${figure(total / 1e9)} GB`,
    ],
    controls: [],
    goals: [
      {
        what: 'memory of all jobs by the computation',
        value: of('bytes') / of('computedBytes'),
        sense: 'at most',
        limit: maxRatio,
        unit: 'x',
      },
    ],
  };
}

async function measure(
  { redis, store }: { redis: BenchRedis; store: RecordStore },
  kind: EndedJob,
  count: number,
): Promise<Size> {
  const before = await usedMemory(redis);
  const recordsBefore = await recordBytes(store);
  await fill(store, kind, count);
  const perRecord = ((await recordBytes(store)) - recordsBefore) / count;
  return {
    name: kind.name,
    recordBytes: perRecord,
    bytes: ((await usedMemory(redis)) - before) / count,
    computedBytes: perRecord + kind.besidesBytes,
  };
}

const usedMemory = async ({ client }: BenchRedis): Promise<number> =>
  Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);

const recordBytes = async ({ client, keys }: RecordStore): Promise<number> =>
  Number(await client.get(keys.recordBytes(tenant)));

/** Stores copies of an ended job. Their ledger counts as archived, and they have their thumbnails. */
async function fill(store: RecordStore, kind: EndedJob, count: number): Promise<void> {
  const { records, client, keys } = store;
  for (let done = 0; done < count; done += jobsPerTurn) {
    const length = Math.min(jobsPerTurn, count - done);
    const outcomes = await Promise.all(
      Array.from({ length }, (_, no) => {
        const job = copyOf(kind.job, Date.now() + done + no);
        const claim = job.claim && { ...job.claim, fingerprint: digest(`body ${job.id}`) };
        return records.submit({ job, claim, maxOpenJobs: Number.MAX_SAFE_INTEGER, storage });
      }),
    );
    const refused = outcomes.find((outcome) => outcome.kind !== 'created');
    if (refused) throw new Error(`a job was not stored: ${refused.kind}`);
  }
  await client.unlink(keys.usage(tenant, 'unarchived'), keys.withoutThumbnails(tenant));
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

function copyOf(job: ImageJob, nowMs: number): ImageJob {
  const id = ids.job(nowMs);
  const copy = JSON.parse(JSON.stringify(job).replaceAll(job.id, id)) as ImageJob;
  return copy.claim ? { ...copy, claim: { ...copy.claim, keyHash: digest(id) } } : copy;
}
