import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import { thumbnailKeyOf } from '../../../../src/domain/image.ts';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { erase } from '../../../../src/domain/job-erasure.ts';
import { createMakeThumbnails } from '../../../../src/usecases/thumbnails/make-thumbnails.ts';
import { captured } from '../../../support/captured-log.ts';
import { createdAt, finishedJob, queuedJob, retention } from '../../../support/jobs.ts';
import { memoryStorage } from '../../../support/memory-ports.ts';

const nowMs = createdAt + 600_000;

/** Starts a worker among succeeded jobs whose images have the given bytes. A fault is thrown while a thumbnail is made. */
function workerWith(
  images: Readonly<Record<string, string | Error>>,
  onMake: (id: string) => void = () => {},
) {
  const records = new Map<string, ImageJob>();
  const { storage, stored } = memoryStorage(0);
  for (const id of Object.keys(images)) {
    const job = finishedJob({ ...queuedJob(), id });
    records.set(id, job);
    stored.set(job.images[0]?.storageKey ?? '', Buffer.from(id));
  }
  const { log, lines } = captured();
  let isDraining = false;
  const verbs = createMakeThumbnails({
    records: {
      get: async (_, id) => records.get(id) ?? null,
      tenants: async () => ['acme'],
      withoutThumbnails: async () => [...records.keys()],
    },
    storage,
    maker: {
      async make(body) {
        const id = await text(body);
        onMake(id);
        const image = images[id] ?? '';
        if (image instanceof Error) throw image;
        return image === '' ? null : { bytes: Buffer.from(image), hash: `hash of ${image}` };
      },
    },
    async updateJob({ id }, change) {
      const job = records.get(id);
      const after = job ? change(job) : null;
      if (after) records.set(id, after);
      return after;
    },
    isDraining: () => isDraining,
    clock: () => nowMs,
    log,
  });
  return {
    ...verbs,
    lines,
    drain() {
      isDraining = true;
    },
    set: (id: string, change: (job: ImageJob) => ImageJob) =>
      void records.set(id, change(records.get(id) as ImageJob)),
    hashOf: (id: string) => records.get(id)?.images[0]?.thumbhash,
    thumbnailOf: (id: string) =>
      stored.get(thumbnailKeyOf(records.get(id) as ImageJob, { index: 0 }))?.toString(),
  };
}

describe('missing thumbnails', () => {
  it('are made, and an image that cannot be decoded is not tried again', async () => {
    const worker = workerWith({ img_1: 'a', img_2: '' });
    await worker.makeMissing();
    expect([worker.hashOf('img_1'), worker.thumbnailOf('img_1')]).toEqual(['hash of a', 'a']);
    expect([worker.hashOf('img_2'), worker.thumbnailOf('img_2')]).toEqual(['', undefined]);
  });

  it.each([
    ['an outage', new AppError('storage_unavailable', { detail: 'no route' }), 'warn'],
    ['a bug', new TypeError('x is not a function'), 'error'],
  ] as const)('of other jobs are made although %s prevents one', async (_, fault, level) => {
    const worker = workerWith({ img_1: fault, img_2: 'b' });
    await worker.makeMissing();
    expect([worker.hashOf('img_1'), worker.hashOf('img_2')]).toEqual([undefined, 'hash of b']);
    expect(worker.lines).toMatchObject([{ level, fields: { err: fault, job_id: 'img_1' } }]);
  });

  it('leave no bytes behind if their job is erased while they are made', async () => {
    const worker = workerWith({ img_1: 'a' }, (id) => worker.set(id, (job) => erase(job, nowMs, retention)));
    await worker.makeMissing();
    expect(worker.thumbnailOf('img_1')).toBeUndefined();
  });

  it('wait for the next process once this one drains', async () => {
    const worker = workerWith({ img_1: 'a', img_2: 'b' }, () => worker.drain());
    await worker.makeMissing();
    expect([worker.hashOf('img_1'), worker.hashOf('img_2')]).toEqual(['hash of a', undefined]);
  });
});

describe('thumbnails of jobs that succeed', () => {
  it('are all made, also those of jobs that succeed while others are made', async () => {
    const worker = workerWith({ img_1: 'a', img_2: 'b', img_3: 'c' }, (id) => {
      if (id !== 'img_1') return;
      for (const later of ['img_2', 'img_3']) worker.soon({ tenant: 'acme', id: later });
    });
    worker.soon({ tenant: 'acme', id: 'img_1' });
    await expect.poll(() => worker.hashOf('img_3')).toBe('hash of c');
    expect([worker.hashOf('img_1'), worker.hashOf('img_2')]).toEqual(['hash of a', 'hash of b']);
    expect(worker.lines).toEqual([]);
  });

  it('are made for tenants in turns, also if many jobs of one tenant wait', async () => {
    const many = Array.from({ length: 300 }, (_, no) => `img_${no}`);
    const made: string[] = [];
    const images = Object.fromEntries([...many, 'img_other'].map((id) => [id, 'a']));
    const worker = workerWith(images, (id) => made.push(id));
    for (const id of many) worker.soon({ tenant: 'acme', id });
    worker.soon({ tenant: 'other', id: 'img_other' });
    await expect.poll(() => made.length).toBeGreaterThan(90);
    expect(made.indexOf('img_other')).toBeGreaterThan(0);
    expect(made.indexOf('img_other')).toBeLessThan(4);
  });
});
