import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { beginRun, finish } from '../../../../src/domain/job-moves.ts';
import { type DecodeResponse, ProviderError } from '../../../../src/domain/ports.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt, retention } from '../../../support/jobs.ts';
import { failureOf } from '../../../support/scripted-provider.ts';

const never = new AbortController().signal;
const usage = { input_tokens: 10, output_tokens: 20, total_tokens: 30 };
const charged = failureOf('unusable', 'provider_unusable_answer', { billing: 'charged', spent: { usage } });
const refused = failureOf('final', 'moderation_blocked');
const damaged = failureOf('damaged', 'provider_unusable_answer');

/** Creates a worker with a response without an image on its disk, whose decoder reports the failure. */
function workerWith(failure: typeof charged, change: (job: ImageJob) => ImageJob) {
  const decode: DecodeResponse = () => Promise.reject(new ProviderError(failure));
  const made = generation({ decoders: { studio: decode } });
  made.set((job) => change({ ...beginRun(job, createdAt), attempts: [attemptOf({ state: 'received' })] }));
  made.spoolBody(1);
  return { ...made, recover: () => made.recoverSpooledResponses(never) };
}

/** A run of another worker holds the job. */
const overtaken = (job: ImageJob) => beginRun(job, createdAt + 1);
const ended = (job: ImageJob) => finish(job, 'canceled', { nowMs: createdAt, retention });

describe('recovery of a response without an image', () => {
  it.each([
    ['of a running job', overtaken],
    ['of an ended job', ended],
  ] as const)('records the charge of a response %s that holds no image', async (_name, change) => {
    const worker = workerWith(charged, change);
    await worker.recover();
    expect(worker.job().attempts).toMatchObject([
      { state: 'unusable', error: 'provider_unusable_answer', charged: true, final: true },
    ]);
    expect(worker.job().attempts[0]?.costMicroUsd).toBeGreaterThan(0);
    expect(worker.spooled.size).toBe(0);
  });

  it('makes no further call after a recovered response without an image, because another would bring the same', async () => {
    const worker = workerWith(charged, overtaken);
    await worker.recover();
    expect(await worker.run()).toEqual({ done: true });
    expect(worker.calls).toHaveLength(0);
    expect(worker.job()).toMatchObject({
      status: 'failed',
      errors: [{ code: 'provider_unusable_answer', billing: 'charged' }],
    });
  });

  it.each([
    ['of a running job', overtaken],
    ['of an ended job', ended],
  ] as const)('records a refusal in the recovered response %s as free', async (_name, change) => {
    const worker = workerWith(refused, change);
    await worker.recover();
    expect(worker.job().attempts).toMatchObject([{ state: 'rejected', error: 'moderation_blocked' }]);
    expect(worker.job().attempts[0]).not.toHaveProperty('charged');
  });

  it('records a damaged response that it recovers, so that its job need not wait for it', async () => {
    const worker = workerWith(damaged, overtaken);
    await worker.recover();
    expect(worker.job().attempts).toMatchObject([{ state: 'unusable', error: 'provider_unusable_answer' }]);
  });

  it.each([
    ['refused', refused, { state: 'rejected' }],
    ['charged', charged, { state: 'unusable', costMicroUsd: 650 }],
    ['damaged', damaged, { state: 'unusable', costMicroUsd: 42, settledAt: 5 }],
  ] as const)('replaces a settlement by the cost that a %s response states', async (_name, failure, row) => {
    const settled = attemptOf({ state: 'uncertain', costMicroUsd: 42, settledAt: 5 });
    const worker = workerWith(failure, (job) => ended({ ...job, attempts: [settled] }));
    await worker.recover();
    const { state, costMicroUsd, settledAt } = worker.job().attempts[0] ?? attemptOf();
    expect(JSON.parse(JSON.stringify({ state, costMicroUsd, settledAt }))).toEqual(row);
  });

  it('keeps a response without an image on the disk until its charge is recorded', async () => {
    const worker = workerWith(charged, ended);
    worker.faults.store.writes = 1;
    await worker.recover();
    expect(worker.job().attempts).toMatchObject([{ state: 'received' }]);
    expect(worker.spooled.size).toBe(1);
    await worker.recover();
    expect(worker.job().attempts).toMatchObject([{ state: 'unusable', charged: true }]);
    expect(worker.spooled.size).toBe(0);
  });
});

describe('a run that reads a response without an image', () => {
  it.each(['calling', 'received'] as const)(
    'records the charge of a response without an image if its attempt is %s',
    async (state) => {
      const worker = workerWith(charged, (job) => ({ ...job, attempts: [attemptOf({ state })] }));
      expect(await worker.run()).toEqual({ done: true });
      expect(worker.job().attempts).toMatchObject([{ state: 'unusable', charged: true }]);
      expect(worker.spooled.size).toBe(0);
      expect(worker.calls).toHaveLength(0);
    },
  );
});
