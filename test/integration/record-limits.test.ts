import { describe, expect, it } from 'vitest';
import { beginRun } from '../../src/domain/job-moves.ts';
import { connectCore } from '../support/core.ts';
import { createdAt, queuedJob } from '../support/jobs.ts';

async function newStore() {
  const { redis, keys, records } = await connectCore();
  const bytes = async () => Number((await redis.get(keys.recordBytes('acme'))) ?? 0);
  const lengthOf = (id: string) => redis.strlen(keys.job('acme', id));
  const submit = (prompt: string, maxBytes: number) => {
    const job = queuedJob({ request: { prompt } });
    const storage = { maxRecords: 10, maxBytes };
    return { job, outcome: records.submit({ job, maxOpenJobs: 10, storage }) };
  };
  return { records, bytes, lengthOf, submit };
}

describe('the size of the records of a tenant', () => {
  it('is that of the stored texts after submissions, updates and removals', async () => {
    const { records, bytes, lengthOf, submit } = await newStore();
    const [a, b] = [submit('short', 1e9), submit('x'.repeat(5_000), 1e9)];
    await Promise.all([a.outcome, b.outcome]);
    expect(await bytes()).toBe((await lengthOf(a.job.id)) + (await lengthOf(b.job.id)));
    const updated = await records.update(a.job, (job) => ({ job: beginRun(job, createdAt) }));
    expect(await bytes()).toBe((await lengthOf(a.job.id)) + (await lengthOf(b.job.id)));
    await records.remove(b.job);
    expect(await bytes()).toBe(await lengthOf(a.job.id));
    await records.remove(updated ?? a.job);
    await records.remove(updated ?? a.job);
    expect(await bytes()).toBe(0);
  });

  it('is limited, also for jobs that are submitted together', async () => {
    const { bytes, submit } = await newStore();
    const jobs = Array.from({ length: 5 }, () => submit('x'.repeat(5_000), 16_000));
    const kinds = (await Promise.all(jobs.map(({ outcome }) => outcome))).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'created')).toHaveLength(2);
    expect(kinds.filter((kind) => kind === 'records_full')).toHaveLength(3);
    expect(await bytes()).toBeLessThanOrEqual(16_000);
    expect((await submit('small', 16_000).outcome).kind).toBe('created');
  });
});
