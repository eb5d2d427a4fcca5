import { describe, expect, it } from 'vitest';
import { type ImageJob, isTerminal } from '../../src/domain/image-job.ts';
import { erase } from '../../src/domain/job-erasure.ts';
import { beginRun, finish } from '../../src/domain/job-moves.ts';
import { encodeTask } from '../../src/outbound/queue/task-message.ts';
import { type Core, connectCore } from '../support/core.ts';
import { createdAt, queuedJob, retention } from '../support/jobs.ts';

const webhook = { url: 'https://receiver.example/hook' };

async function submitted(core: Core): Promise<ImageJob> {
  const job = queuedJob({ request: { webhook } });
  await core.records.submit({ job, maxOpenJobs: 10 });
  await core.jobQueue.add({ kind: 'run_job', tenant: 'acme', id: job.id }, { priority: 'normal' });
  return job;
}

/** Starts the job like a worker with a call in flight. The task of the job is not waiting. */
async function running(core: Core): Promise<ImageJob> {
  const job = await submitted(core);
  await core.jobQueue.remove(job.id);
  await core.change({ tenant: 'acme', id: job.id }, (now) => beginRun(now, createdAt));
  return job;
}

describe('canceling a job', () => {
  it('ends a waiting job at once without a cost and removes its task', async () => {
    const core = await connectCore();
    const job = await submitted(core);
    expect(await core.cancelJob('acme', job.id)).toMatchObject({
      status: 'canceled',
      cancelRequestedAt: createdAt,
      finishedAt: createdAt,
      attempts: [],
    });
    expect(await core.jobQueue.has([job.id])).toEqual([false]);
    expect(await core.records.countOpen('acme')).toBe(0);
  });

  it('writes the webhook event of a cancellation once and atomically with it', async () => {
    const core = await connectCore();
    const job = await submitted(core);
    await Promise.allSettled(Array.from({ length: 10 }, () => core.cancelJob('acme', job.id)));
    const eventWritten = await core.events.listUndispatched('acme', { beforeMs: createdAt + 1, limit: 10 });
    expect(eventWritten).toHaveLength(1);
    expect(await core.events.undispatched('acme', eventWritten[0] ?? '')).toMatchObject({
      type: 'image.canceled',
    });
  });

  it('ends a running job at once if it waits for its next try', async () => {
    const core = await connectCore();
    const job = await running(core);
    const message = encodeTask({ kind: 'run_job', tenant: 'acme', id: job.id });
    await core.jobQueue.addMessage(message, { taskId: job.id, priority: 'normal', delayMs: 60_000 });
    expect(await core.cancelJob('acme', job.id)).toMatchObject({ status: 'canceled' });
    expect(await core.jobQueue.has([job.id])).toEqual([false]);
  });

  it('cancels a job that runs in another process and returns its final state', async () => {
    const core = await connectCore();
    const elsewhere = await core.beside();
    const job = await running(core);
    const captured: string[] = [];
    elsewhere.signals.onCancel(async (id) => {
      captured.push(id);
      await elsewhere.change({ tenant: 'acme', id }, (now) =>
        isTerminal(now.status) ? null : finish(now, 'canceled', { nowMs: createdAt + 1, retention }),
      );
    });
    expect(await core.cancelJob('acme', job.id)).toMatchObject({ status: 'canceled' });
    expect(captured).toEqual([job.id]);
  });

  it('records a cancellation request and returns even if the worker of the job does not react', async () => {
    const core = await connectCore();
    const job = await running(core);
    const response = await core.cancelJob('acme', job.id);
    expect(response).toMatchObject({ status: 'running', cancelRequestedAt: createdAt });
    expect(await core.records.get('acme', job.id)).toEqual(response);
  });

  it.each(['succeeded', 'failed', 'canceled', 'expired'] as const)(
    'refuses to cancel a job that is %s',
    async (end) => {
      const core = await connectCore();
      const job = await submitted(core);
      const ended = await core.change({ tenant: 'acme', id: job.id }, (now) =>
        finish(now, end, { nowMs: createdAt, retention }),
      );
      await expect(core.cancelJob('acme', job.id)).rejects.toMatchObject({ code: 'already_terminal' });
      expect(await core.records.get('acme', job.id)).toEqual(ended);
    },
  );

  it('refuses to cancel unknown jobs, jobs of other tenants and erased jobs, each with its own error', async () => {
    const core = await connectCore();
    const job = await submitted(core);
    await expect(core.cancelJob('acme', 'img_unknown')).rejects.toMatchObject({ code: 'not_found' });
    await expect(core.cancelJob('beta', job.id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await core.jobQueue.has([job.id])).toEqual([true]);
    await core.change({ tenant: 'acme', id: job.id }, (now) => erase(now, createdAt, retention));
    await expect(core.cancelJob('acme', job.id)).rejects.toMatchObject({ code: 'erased' });
  });
});
