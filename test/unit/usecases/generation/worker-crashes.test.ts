import { describe, expect, it } from 'vitest';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt } from '../../../support/jobs.ts';
import { failureOf } from '../../../support/scripted-provider.ts';

const done = { done: true };

/** Begins a run on another worker, which crashes while it waits for a response. */
function crash(made: ReturnType<typeof generation>, worker: string) {
  made.set((job) => ({
    ...beginRun(job, createdAt, worker),
    attempts: [attemptOf({ no: job.attempts.length + 1, state: 'calling' }), ...job.attempts],
  }));
}

describe('a job whose worker crashed', () => {
  it('fails with worker_lost after three crashes in a row, without another call', async () => {
    const made = generation();
    made.set((job) => ({ ...job, crashesInRow: 2, crashCount: 2 }));
    crash(made, 'worker-3');
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({
      status: 'failed',
      errors: [{ code: 'worker_lost', billing: 'possible' }],
      attempts: [{ state: 'uncertain', error: 'worker_lost' }],
    });
    expect(made.job()).not.toHaveProperty('crashesInRow');
    expect(made.calls).toHaveLength(0);
  });

  it('runs again after two crashes in a row', async () => {
    const made = generation({ responses: ['image'] });
    made.set((job) => ({ ...job, crashesInRow: 1 }));
    crash(made, 'worker-2');
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'succeeded', crashCount: 1 });
  });

  it('counts no crash that ended three or more runs at once', async () => {
    const made = generation({ responses: ['image'], endedWith: { 'worker-3': 3 } });
    made.set((job) => ({ ...job, crashesInRow: 2 }));
    crash(made, 'worker-3');
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'succeeded', crashCount: 1 });
  });

  it.each([{ endedWith: { 'worker-3': 0 } }, { endedWith: {} }])(
    'counts no run of a process that lost its lock and lives: %j',
    async ({ endedWith }) => {
      const made = generation({ responses: ['image'], endedWith });
      made.set((job) => ({ ...job, crashesInRow: 2 }));
      crash(made, 'worker-3' in endedWith ? 'worker-3' : 'this-worker');
      expect(await made.run()).toEqual(done);
      expect(made.job()).toMatchObject({ status: 'succeeded' });
      expect(made.job()).not.toHaveProperty('crashCount');
    },
  );

  it('counts crashes in a row only: a run that ends normally starts the count again', async () => {
    const made = generation({ responses: [failureOf('refused'), 'image'] });
    made.set((job) => ({ ...job, crashesInRow: 1 }));
    crash(made, 'worker-2');
    await made.run();
    expect(made.job()).toMatchObject({ status: 'running' });
    expect(made.job()).not.toHaveProperty('crashesInRow');
  });

  it('fails with worker_lost after 20 crashes of any kind, because each of them may cost one call', async () => {
    const made = generation({ endedWith: { 'worker-20': 4 } });
    made.set((job) => ({ ...job, crashCount: 19 }));
    crash(made, 'worker-20');
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'failed', errors: [{ code: 'worker_lost' }] });
    expect(made.calls).toHaveLength(0);
  });

  it('cancels the call at the provider that a failed job leaves behind', async () => {
    const made = generation();
    made.set((job) => ({
      ...beginRun(job, createdAt, 'worker-3'),
      crashesInRow: 2,
      attempts: [attemptOf({ state: 'calling', handle: 'resp_1' })],
    }));
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({
      status: 'failed',
      attempts: [{ state: 'uncertain', handle: 'resp_1' }],
    });
  });
});
