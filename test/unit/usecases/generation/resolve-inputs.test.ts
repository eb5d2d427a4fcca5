import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { inputKeyOf, type JobInput } from '../../../../src/domain/input-image.ts';
import { erase } from '../../../../src/domain/job-erasure.ts';
import { beginRun, finish } from '../../../../src/domain/job-moves.ts';
import { createTenantSlots } from '../../../../src/lib/tenant-slots.ts';
import { generation } from '../../../support/generation.ts';
import { createdAt, retention } from '../../../support/jobs.ts';

const requested: JobInput = {
  role: 'image',
  index: 0,
  source: { type: 'url', url: 'https://a.example/b.png' },
};
const facts = { contentType: 'image/png', width: 8, height: 8, sizeBytes: 5, sha256: 'a3'.repeat(32) };
const fetched: JobInput = { ...requested, ...facts };

const newRun = (job: ImageJob) => beginRun(job, createdAt + 2_000);
const recorded = (job: ImageJob) => ({ ...newRun(job), inputs: [fetched] });
const ended = (job: ImageJob) => finish(job, 'canceled', { nowMs: createdAt + 2_000, retention });

describe('an input that is fetched while its job changes', () => {
  it.each([
    ['keeps the bytes that a newer run stores', newRun, true],
    ['keeps the bytes that a newer run has recorded', recorded, true],
    ['keeps the bytes of a job that ended after a newer run', (job: ImageJob) => ended(recorded(job)), true],
    ['removes the bytes if the job has ended', ended, false],
    ['removes the bytes if the job was erased', (job: ImageJob) => erase(job, createdAt, retention), false],
  ])('%s', async (_, change, isStored) => {
    const made = generation({
      async fetchInputs(job) {
        made.stored.set(inputKeyOf(job, requested), Buffer.from('bytes'));
        made.set(change);
        return [fetched];
      },
    });
    made.set((job) => ({ ...job, inputs: [requested] }));
    expect(await made.run()).toEqual({ done: true });
    expect(made.calls).toEqual([]);
    expect(made.stored.has(inputKeyOf(made.job(), requested))).toBe(isStored);
  });

  it('removes the bytes that it stored before the erasure of the job stopped the fetch of another input', async () => {
    const made = generation({
      async fetchInputs(job) {
        made.set((now) => erase(now, createdAt, retention));
        made.stored.set(inputKeyOf(job, requested), Buffer.from('bytes'));
        throw new AppError('input_unavailable', { detail: 'The address did not arrive in time.' });
      },
    });
    made.set((job) => ({ ...job, inputs: [requested, { ...requested, index: 1 }] }));
    expect(await made.run()).toEqual({ done: true });
    expect([...made.stored.keys()]).toEqual([]);
  });
});

describe('a job with an input of a newer release', () => {
  const vault = { type: 'vault' };
  it.each([
    ['a role', { ...fetched, role: 'style' }],
    ['an origin', { role: 'image', index: 1, source: vault } as const],
  ])(
    'makes no call without an input of which only that release knows %s, and waits',
    async (_what, input) => {
      const made = generation({ fetchInputs: async () => [fetched] });
      made.set((job) => ({ ...job, inputs: [fetched, input] }));
      expect(await made.run()).toEqual({ againInMs: 30_000 });
      expect(made.calls).toEqual([]);
      expect(made.job()).toMatchObject({ status: 'running', inputs: [fetched, input], blocked: {} });
    },
  );

  it('uses an input with stored bytes although only that release knows their origin', async () => {
    const made = generation({});
    made.set((job) => ({ ...job, inputs: [{ ...fetched, source: vault }] }));
    expect(await made.run()).toEqual({ done: true });
    expect(made.calls).toHaveLength(1);
  });
});

describe('a job whose inputs are addresses', () => {
  it('waits without losing run time while other jobs of its tenant use the slots of fetches', async () => {
    const fetchSlots = createTenantSlots({ max: 2, maxPerTenant: 1 });
    const made = generation({ fetchSlots, fetchInputs: async () => [fetched] });
    made.set((job) => ({ ...job, inputs: [requested] }));
    const leave = fetchSlots.enter(made.job().tenant);

    expect(await made.run()).toEqual({ againInMs: 2_000 });
    expect(made.job()).toMatchObject({ status: 'running', inputs: [requested], blocked: {} });
    leave?.();
    expect(await made.run()).toEqual({ done: true });
    expect(made.job().inputs).toEqual([fetched]);
    expect(fetchSlots.enter(made.job().tenant)).not.toBeNull();
  });
});
