import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { ids } from '../../src/lib/ids.ts';
import { createSweepInputs } from '../../src/usecases/inputs/sweep-inputs.ts';
import { createSweep } from '../../src/usecases/maintenance/sweep.ts';
import { type Core, connectCore } from '../support/core.ts';
import { inputPorts } from '../support/input-ports.ts';
import { createdAt, finishedJob, queuedJob } from '../support/jobs.ts';

async function submitted(core: Core, tenant: string): Promise<ImageJob> {
  const job = queuedJob({ tenant, request: { queue_ttl_s: 60 } });
  await core.records.submit({ job, maxOpenJobs: 10_000 });
  return job;
}

/** Creates a finished job whose image is in the storage and past its retention. */
async function expiredImage(core: Core, tenant: string): Promise<ImageJob> {
  const job = await submitted(core, tenant);
  const ended = (await core.change(job, (now) => finishedJob(now))) ?? job;
  for (const image of ended.images) await core.storage.put(image.storageKey, Buffer.from('image'), image);
  return ended;
}

/** Returns the records with the tenants in the worst sequence: Redis returns them in any one. */
const inSequence = ({ records }: Core): Core['records'] => ({
  ...records,
  tenants: async () => (await records.tenants()).toSorted(),
});

const many = <Item>(count: number, make: () => Promise<Item>) =>
  Promise.all(Array.from({ length: count }, make));

describe('the sweep of many tenants', () => {
  it('deletes images of a tenant although the storage fails at those of another one', async () => {
    const core = await connectCore();
    await many(30, () => expiredImage(core, 'acme'));
    const job = await expiredImage(core, 'other');
    core.passTime((job.mediaExpiresAt ?? 0) - createdAt);
    let failures = 0;
    const remove: typeof core.storage.remove = async (key) => {
      if (!key.startsWith('acme/')) return core.storage.remove(key);
      failures += 1;
      throw new AppError('storage_unavailable');
    };
    await createSweep({ ...core, records: inSequence(core), storage: { ...core.storage, remove } })();
    expect(await core.records.get('other', job.id)).toMatchObject({ mediaGone: true });
    expect(failures).toBeLessThan(20);
  });

  it('expires the jobs of tenants in turns, so that many jobs of one do not delay those of others', async () => {
    const core = await connectCore();
    await many(50, () => submitted(core, 'acme'));
    await submitted(core, 'other');
    core.passTime(60_000);
    const expired: string[] = [];
    const expireJob: typeof core.expireJob = (job) => {
      expired.push(job.tenant);
      return core.expireJob(job);
    };
    await createSweep({ ...core, records: inSequence(core), expireJob, turnMs: 0 })('deadlines');
    expect(expired).toHaveLength(51);
    expect(expired.indexOf('other')).toBeLessThan(3);
  });

  it('begins each round with another tenant, so that no storage that is down delays the same ones', async () => {
    const core = await connectCore();
    for (const tenant of ['acme', 'bob']) await many(12, () => expiredImage(core, tenant));
    core.passTime(3_700_000);
    const tried = new Set<string>();
    const remove = async (key: string) => {
      tried.add(key.split('/')[0] ?? '');
      throw new AppError('storage_unavailable');
    };
    const sweep = createSweep({ ...core, storage: { ...core.storage, remove } });
    for (const part of ['retention', 'deadlines', 'retention'] as const) await sweep(part);
    expect([...tried].sort()).toEqual(['acme', 'bob']);
  });
});

describe('the sweep of inputs', () => {
  it('deletes abandoned bytes of tenants in turns, so that many of one do not delay those of others', async () => {
    const core = await connectCore();
    const ports = inputPorts(core, core.keys, core.clock);
    await many(250, () => ports.drafts.add('acme', ids.job(createdAt), createdAt));
    await ports.drafts.add('other', ids.job(createdAt), createdAt);
    core.passTime(3_700_000);
    const deleted: string[] = [];
    const remove = async (key: string) => void deleted.push(key.split('/')[0] ?? '');
    const deps = { ...core, ...ports, records: inSequence(core), storage: { remove } };
    await createSweepInputs(deps)();
    expect(new Set(deleted.slice(deleted.indexOf('other')))).toEqual(new Set(['acme', 'other']));
    expect(await ports.drafts.listOlder('acme', core.clock(), 1)).toEqual([]);
  });
});
