import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../src/domain/attempt.ts';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { beginRun, erase, finish } from '../../../../src/domain/job-moves.ts';
import type { ImageStorage, JobStore, Spool, SpoolKey } from '../../../../src/domain/ports.ts';
import { createRecoverSpooledResponses } from '../../../../src/usecases/generation/recover-spooled-responses.ts';
import { attemptOf, createdAt, queuedJob, retention, silentLog } from '../../../support/jobs.ts';

const clock = () => createdAt + 60_000;

/** A worker that starts with the answer to call 1 of a job on its disk. */
function workerWith(attempt: Partial<Attempt>, change: (job: ImageJob) => ImageJob = (job) => job) {
  const taken = beginRun(queuedJob(), createdAt);
  let job = change({ ...taken, attempts: [attemptOf({ fence: taken.fence, ...attempt })] });
  const keys: SpoolKey[] = [{ tenant: job.tenant, jobId: job.id, attemptNo: 1 }];
  const settled: number[] = [];
  const removed: string[] = [];
  const spool: Pick<Spool, 'list' | 'open' | 'remove'> = {
    async *list() {
      for (const key of [...keys]) yield { key, format: 'known', provider: 'studio' };
    },
    open: async () => ({
      format: 'known',
      head: { provider: 'studio', providerRequestId: 'req_1' },
      body: (async function* () {})(),
    }),
    remove: async () => void keys.pop(),
  };
  const recoverSpooled = createRecoverSpooledResponses({
    records: { get: async () => job } as unknown as JobStore,
    change: async (_tenant, _id, next) => {
      job = next(job) ?? job;
      return job;
    },
    spool: spool as Spool,
    storage: { remove: async (key: string) => void removed.push(key) } as unknown as ImageStorage,
    finalizeResponse: async (_job, { no }) => {
      settled.push(no);
      return true;
    },
    clock,
    log: silentLog,
  });
  return {
    recoverSpooled: () => recoverSpooled(new AbortController().signal),
    job: () => job,
    files: () => keys.length,
    settled,
    removed,
  };
}

describe('a paid answer on the disk of a worker that starts', () => {
  it('is noted as received where the record does not know of it, and left to the next execution', async () => {
    const worker = workerWith({ state: 'calling' });
    await worker.recoverSpooled();
    expect(worker.job().attempts).toMatchObject([
      { state: 'received', receivedAt: clock(), providerRequestId: 'req_1' },
    ]);
    expect({ files: worker.files(), settled: worker.settled }).toEqual({ files: 1, settled: [] });
  });

  it('is left alone where the record knows of it and its execution may still live', async () => {
    const worker = workerWith({ state: 'received', receivedAt: createdAt });
    const before = worker.job();
    await worker.recoverSpooled();
    expect(worker.job()).toBe(before);
    expect(worker.files()).toBe(1);
  });

  it.each(['calling', 'received', 'uncertain'] as const)(
    'is settled when it was overtaken while it was %s',
    async (state) => {
      const worker = workerWith({ state }, (job) => ({ ...job, fence: job.fence + 1 }));
      await worker.recoverSpooled();
      expect(worker.settled).toEqual([1]);
    },
  );

  it('is settled although its row was given up when its worker did not come back', async () => {
    const worker = workerWith({ state: 'wasted', error: 'worker_lost' }, (job) => ({
      ...job,
      fence: job.fence + 1,
    }));
    await worker.recoverSpooled();
    expect(worker.settled).toEqual([1]);
  });

  it('gets its row back where the store has lost it, and is settled with the next round', async () => {
    const worker = workerWith({}, (job) => ({ ...job, attempts: [] }));
    await worker.recoverSpooled();
    expect(worker.job().attempts).toMatchObject([
      { no: 1, kind: 'generate', index: 0, state: 'received', providerRequestId: 'req_1' },
    ]);
    await worker.recoverSpooled();
    expect(worker.settled).toEqual([1]);
  });

  it('is settled when its job has ended', async () => {
    const worker = workerWith({ state: 'received' }, (job) =>
      finish(job, 'canceled', { nowMs: createdAt, retention }),
    );
    await worker.recoverSpooled();
    expect(worker.settled).toEqual([1]);
  });

  it('goes with all bytes that may have been stored of it, when its job was erased', async () => {
    const worker = workerWith({ state: 'calling' }, (job) => erase(job, createdAt, retention));
    await worker.recoverSpooled();
    const { tenant, id } = worker.job();
    expect(worker.removed).toEqual(
      ['png', 'jpg', 'webp'].map((extension) => `${tenant}/${id}/0-1.${extension}`),
    );
    expect({ files: worker.files(), settled: worker.settled }).toEqual({ files: 0, settled: [] });
  });

  it('goes when it was settled before', async () => {
    const worker = workerWith({ state: 'stored' });
    await worker.recoverSpooled();
    expect({ files: worker.files(), settled: worker.settled }).toEqual({ files: 0, settled: [] });
  });
});
