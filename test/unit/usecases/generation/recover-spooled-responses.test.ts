import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../src/domain/attempt.ts';
import { imageKeysOf } from '../../../../src/domain/image.ts';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { erase } from '../../../../src/domain/job-erasure.ts';
import { beginRun, finish } from '../../../../src/domain/job-moves.ts';
import {
  type ImageStorage,
  type JobStore,
  type Log,
  ProviderError,
  type Spool,
  type SpoolKey,
} from '../../../../src/domain/ports.ts';
import { createRecoverSpooledResponses } from '../../../../src/usecases/generation/recover-spooled-responses.ts';
import { captured } from '../../../support/captured-log.ts';
import { builtInCatalogue } from '../../../support/catalogue.ts';
import { attemptOf, createdAt, queuedJob, retention, silentLog } from '../../../support/jobs.ts';
import { failureOf } from '../../../support/scripted-provider.ts';

type SpoolFormat =
  | { format: 'known'; provider: string }
  | { format: 'unknown'; version: number }
  | { format: 'damaged' };
const neverDecoded = () => Promise.reject(new Error('not decoded here'));
const clock = () => createdAt + 60_000;

/** The spool file of the response, and how the worker deals with it. */
interface Disk {
  readonly entry?: SpoolFormat;
  readonly log?: Log;
  readonly fault?: Error;
}

/** Starts a worker with the response to attempt 1 of a job on its disk. */
function workerWith(
  attempt: Partial<Attempt>,
  change: (job: ImageJob) => ImageJob = (job) => job,
  { entry = { format: 'known', provider: 'studio' }, log = silentLog, fault }: Disk = {},
) {
  const taken = beginRun(queuedJob(), createdAt);
  let job = change({ ...taken, attempts: [attemptOf({ fence: taken.fence, ...attempt })] });
  const keys: SpoolKey[] = [{ tenant: job.tenant, jobId: job.id, attemptNo: 1 }];
  const settled: number[] = [];
  const removed: string[] = [];
  const unwanted: SpoolKey[] = [];
  const spool: Pick<Spool, 'list' | 'open' | 'remove' | 'removeUnfinished'> = {
    async removeUnfinished(isWanted) {
      for (const key of keys) if (!(await isWanted(key))) unwanted.push(key);
    },
    async *list() {
      for (const key of [...keys]) yield { key, ...entry };
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
    findDecoder: (name) => (name === 'studio' ? neverDecoded : undefined),
    updateJob: async (_key, next) => {
      job = next(job) ?? job;
      return job;
    },
    spool: spool as Spool,
    storage: { remove: async (key: string) => void removed.push(key) } as unknown as ImageStorage,
    finalizeResponse: async (_job, { no }) => {
      if (fault) throw fault;
      settled.push(no);
      return true;
    },
    catalogue: builtInCatalogue(),
    clock,
    log,
  });
  return {
    recoverSpooled: () => recoverSpooled(new AbortController().signal),
    job: () => job,
    files: () => keys.length,
    settled,
    removed,
    unwanted,
  };
}

it('logs a response that cannot be recovered with the ids of its request and its trace', async () => {
  const { log, lines } = captured();
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
  const named = (job: ImageJob) => ({
    ...finish(job, 'canceled', { nowMs: clock(), retention }),
    requestId: 'req_7',
    traceparent,
  });
  const known = { format: 'known', provider: 'studio' } as const;
  const worker = workerWith({ state: 'received' }, named, { entry: known, log, fault: new Error('disk') });
  await worker.recoverSpooled();
  expect(lines).toMatchObject([
    {
      message: 'spooled response not recovered, retrying',
      fields: { tenant: 'acme', attempt: 1, request_id: 'req_7', trace_id: 'a'.repeat(32) },
    },
  ]);
});

describe('recovery of spooled responses', () => {
  it('records a response that the record does not know as received, and leaves it to the next run', async () => {
    const worker = workerWith({ state: 'calling' });
    await worker.recoverSpooled();
    expect(worker.job().attempts).toMatchObject([
      { state: 'received', receivedAt: clock(), providerRequestId: 'req_1' },
    ]);
    expect({ files: worker.files(), settled: worker.settled }).toEqual({ files: 1, settled: [] });
  });

  it('leaves a received response alone while the run that paid may still be alive', async () => {
    const worker = workerWith({ state: 'received', receivedAt: createdAt });
    const before = worker.job();
    await worker.recoverSpooled();
    expect(worker.job()).toBe(before);
    expect(worker.files()).toBe(1);
  });

  it.each(['calling', 'received', 'uncertain'] as const)(
    'finalizes a response whose run was overtaken while the attempt was %s',
    async (state) => {
      const worker = workerWith({ state }, (job) => ({ ...job, fence: job.fence + 1 }));
      await worker.recoverSpooled();
      expect(worker.settled).toEqual([1]);
    },
  );

  it('finalizes a response although its attempt was recorded as lost with its worker', async () => {
    const worker = workerWith({ state: 'wasted', error: 'worker_lost' }, (job) => ({
      ...job,
      fence: job.fence + 1,
    }));
    await worker.recoverSpooled();
    expect(worker.settled).toEqual([1]);
  });

  it('restores a row that the store lost, and finalizes the response in the next round', async () => {
    const worker = workerWith({}, (job) => ({ ...job, attempts: [] }));
    await worker.recoverSpooled();
    expect(worker.job().attempts).toMatchObject([
      { no: 1, kind: 'generate', index: 0, state: 'received', providerRequestId: 'req_1' },
    ]);
    await worker.recoverSpooled();
    expect(worker.settled).toEqual([1]);
  });

  it('restores the row of a response that only another release can read', async () => {
    const worker = workerWith({}, (job) => ({ ...job, attempts: [] }), {
      entry: { format: 'unknown', version: 2 },
    });
    await worker.recoverSpooled();
    await worker.recoverSpooled();
    expect(worker.job().attempts).toMatchObject([{ no: 1, index: 0, state: 'received' }]);
    expect(worker.files()).toBe(1);
  });

  it('finalizes a response whose job has ended', async () => {
    const worker = workerWith({ state: 'received' }, (job) =>
      finish(job, 'canceled', { nowMs: createdAt, retention }),
    );
    await worker.recoverSpooled();
    expect(worker.settled).toEqual([1]);
  });

  it('records the response of an erased job, then removes it with every image that may have been stored of it', async () => {
    const worker = workerWith({ state: 'calling' }, (job) => erase(job, createdAt, retention));
    await worker.recoverSpooled();
    expect(worker.removed).toEqual(imageKeysOf(worker.job(), attemptOf()));
    expect({ files: worker.files(), settled: worker.settled }).toEqual({ files: 0, settled: [1] });
  });

  it('records a response of an ended job that holds no image as unusable, with the cost that it reported', async () => {
    const usage = { input_tokens: 10, output_tokens: 20, total_tokens: 30 };
    const more = { billing: 'charged', spent: { usage } } as const;
    const failure = failureOf('unusable', 'provider_unusable_answer', more);
    const ended = (job: ImageJob) => finish(job, 'canceled', { nowMs: createdAt, retention });
    const entry = { format: 'known', provider: 'studio' } as const;
    const worker = workerWith({ state: 'received' }, ended, { entry, fault: new ProviderError(failure) });
    await worker.recoverSpooled();
    const [attempt] = worker.job().attempts;
    expect(attempt).toMatchObject({ state: 'unusable', error: 'provider_unusable_answer', charged: true });
    expect(attempt?.costMicroUsd).toBeGreaterThan(0);
    expect(worker.job().usage).toEqual(usage);
  });

  it('removes a response of an erased job that only another release can read', async () => {
    const worker = workerWith({ state: 'received' }, (job) => erase(job, createdAt, retention), {
      entry: { format: 'unknown', version: 2 },
    });
    await worker.recoverSpooled();
    expect(worker.files()).toBe(0);
  });

  it('removes an unfinished response of an erased job and leaves those of other jobs', async () => {
    const erased = workerWith({ state: 'calling' }, (job) => erase(job, createdAt, retention));
    await erased.recoverSpooled();
    expect(erased.unwanted).toHaveLength(1);
    const running = workerWith({ state: 'calling' });
    await running.recoverSpooled();
    expect(running.unwanted).toEqual([]);
  });

  it('removes a response that was finalized before', async () => {
    const worker = workerWith({ state: 'stored' });
    await worker.recoverSpooled();
    expect({ files: worker.files(), settled: worker.settled }).toEqual({ files: 0, settled: [] });
  });

  it.each([
    ['of an unknown spool version', { format: 'unknown', version: 2 }],
    ['of a provider that this release does not know', { format: 'known', provider: 'of-tomorrow' }],
  ] as const)('keeps a response %s and confirms again and again that it exists', async (_name, entry) => {
    const worker = workerWith({ state: 'received', receivedAt: createdAt }, (job) => job, { entry });
    await worker.recoverSpooled();
    expect(worker.job().attempts).toMatchObject([{ state: 'received', receivedAt: clock() }]);
    expect({ files: worker.files(), settled: worker.settled }).toEqual({ files: 1, settled: [] });
  });
});
