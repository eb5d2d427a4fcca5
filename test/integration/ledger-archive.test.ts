import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/domain/attempt.ts';
import { AppError } from '../../src/domain/errors.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { erase, purgeMedia } from '../../src/domain/job-erasure.ts';
import { finish } from '../../src/domain/job-moves.ts';
import { settleCharges } from '../../src/domain/job-settlement.ts';
import type { LedgerLine } from '../../src/domain/ledger.ts';
import { utcDayOf } from '../../src/domain/utc-day.ts';
import { ulid } from '../../src/lib/ids.ts';
import { createUsage } from '../../src/usecases/usage/index.ts';
import { type Core, connectCore } from '../support/core.ts';
import { attemptOf, createdAt, queuedJob, retention } from '../support/jobs.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const byDay = { dimensions: new Set(['day', 'key'] as const), metadataKeys: [] };
const everything = { fromMs: createdAt - 100 * 24 * hourMs, toMs: createdAt + 100 * 24 * hourMs };

async function submitted(core: Core): Promise<ImageJob> {
  const job = { ...queuedJob({ nowMs: core.clock() }), keyId: 'key_1', usageRow: 1 };
  await core.records.submit({ job, maxOpenJobs: 10_000 });
  return job;
}

/** Creates a job that ended with one call. */
async function ended(core: Core, attempt: Partial<Attempt> = { costMicroUsd: 5_970 }): Promise<ImageJob> {
  const job = await submitted(core);
  const nowMs = core.clock();
  const attempts = [attemptOf({ startedAt: nowMs, provider: 'openai', ...attempt })];
  const written = await core.change(job, (now) =>
    finish({ ...now, attempts }, 'succeeded', { nowMs, retention }),
  );
  return written ?? job;
}

async function linesOf(core: Core, range = everything): Promise<LedgerLine[]> {
  const lines: LedgerLine[] = [];
  for await (const line of core.usage.readLedger('acme', range)) lines.push(line);
  return lines;
}
const idsOf = async (core: Core) => (await linesOf(core)).map(({ job_id }) => job_id).toSorted();
const filesOf = async (core: Core) =>
  (await readdir(core.directory, { recursive: true })).filter((name) => name.endsWith('.gz')).toSorted();

describe('the archive of the ledger', () => {
  it('is written when the oldest change is an hour old, and not before', async () => {
    const core = await connectCore();
    await ended(core);
    core.passTime(hourMs - 1);
    await core.usage.archiveDue();
    expect(await filesOf(core)).toEqual([]);
    core.passTime(1);
    await core.usage.archiveDue();
    expect(await filesOf(core)).toHaveLength(1);
    expect((await filesOf(core))[0]).toMatch(/^acme\/ledger-2026-11-23\/12-[0-9A-Z]{26}\.gz$/);
    await core.usage.archiveDue();
    expect(await filesOf(core)).toHaveLength(1);
  });

  it('shows every line once while some jobs are archived, some ended and some run', async () => {
    const core = await connectCore();
    const archived = await ended(core);
    await core.usage.archiveTenant('acme');
    const unarchived = await ended(core);
    const running = await submitted(core);
    await core.change(running, (now) => ({ ...now, attempts: [attemptOf({ state: 'calling' })] }));
    expect(await idsOf(core)).toEqual([archived.id, unarchived.id, running.id].toSorted());
    const line = (await linesOf(core)).find(({ job_id }) => job_id === running.id);
    expect(line).toMatchObject({ state: 'calling', billing: 'possible', micro_usd: null });
  });

  it('outlives the records and all data in Redis', async () => {
    const core = await connectCore();
    const jobs = [await ended(core), await ended(core)];
    const before = await linesOf(core);
    await core.usage.archiveTenant('acme');
    await core.redis.unlink(...(await core.redis.keys(`*${core.prefix}*`)));
    expect((await linesOf(core)).toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(before);
    expect(before.map(({ job_id }) => job_id)).toEqual(jobs.map(({ id }) => id).toSorted());
  });

  it('shows the newest version of a line that changed after it was archived', async () => {
    const core = await connectCore();
    const job = await ended(core, { state: 'uncertain' });
    await core.usage.archiveTenant('acme');
    const settle = (now: ImageJob) => ({
      ...now,
      attempts: now.attempts.map((each) => ({ ...each, costMicroUsd: 42, settledAt: createdAt })),
    });
    await core.change(job, settle);
    const settled = [{ id: `${job.id}.1`, billing: 'charged', micro_usd: 42 }];
    expect(await linesOf(core)).toMatchObject(settled);
    await core.usage.archiveTenant('acme');
    expect(await filesOf(core)).toHaveLength(2);
    await core.redis.unlink(...(await core.redis.keys(`*${core.prefix}*`)));
    expect(await linesOf(core)).toMatchObject(settled);
  });

  it('has the lines of jobs that an earlier release recorded', async () => {
    const core = await connectCore();
    const job = await ended(core);
    await core.redis.del(core.keys.usage('acme', 'unarchived'));
    await core.usage.archiveDue();
    expect(await core.redis.zcard(core.keys.usage('acme', 'unarchived'))).toBe(0);
    expect(await filesOf(core)).toHaveLength(1);
    expect(await idsOf(core)).toEqual([job.id]);
  });

  it('loses no line of a job that changes while it is archived', async () => {
    const core = await connectCore();
    const job = await ended(core, { state: 'uncertain' });
    const version = job.version;
    await core.change(job, (now) => ({
      ...now,
      attempts: now.attempts.map((each) => ({ ...each, costMicroUsd: 1 })),
    }));
    await core.unarchivedJobs.markArchived('acme', [{ id: job.id, version }]);
    expect(await core.unarchivedJobs.list('acme', { offset: 0, limit: 10 })).toEqual([job.id]);
  });

  it('retains the record of a job until its lines are archived, whatever its retention', async () => {
    const core = await connectCore();
    const job = await ended(core);
    await core.change(job, (now) => purgeMedia(now, core.clock()));
    core.passTime(retention.recordSeconds * 1000);
    const put = core.storage.put;
    core.storage.put = async () => {
      throw new AppError('storage_unavailable');
    };
    await expect(core.sweep()).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await core.records.get('acme', job.id)).not.toBeNull();
    core.storage.put = put;
    await core.sweep();
    expect(await filesOf(core)).toHaveLength(1);
    expect(await core.records.get('acme', job.id)).toBeNull();
    expect(await idsOf(core)).toEqual([job.id]);
  });

  it('has no new line for a job that is erased after it was archived', async () => {
    const core = await connectCore();
    const job = await ended(core);
    const before = await linesOf(core);
    await core.usage.archiveTenant('acme');
    await core.change(job, (now) => erase(now, core.clock(), retention));
    expect(await core.unarchivedJobs.list('acme', { offset: 0, limit: 10 })).toEqual([]);
    expect(await linesOf(core)).toEqual(before);
  });

  it('is written by one process at a time', async () => {
    const core = await connectCore();
    for (let i = 0; i < 30; i++) await ended(core);
    const other = await core.beside();
    await Promise.all([core.usage.archiveTenant('acme'), other.usage.archiveTenant('acme')]);
    expect(await filesOf(core)).toHaveLength(1);
  });

  it('deletes the days whose retention is over', async () => {
    const core = await connectCore();
    await ended(core);
    core.passTime(hourMs);
    await core.usage.archiveDue();
    core.passTime(11 * 24 * hourMs);
    const late = await ended(core);
    await core.usage.archiveTenant('acme');
    await core.usage.archiveDue();
    expect(await filesOf(core)).toEqual([expect.stringContaining('ledger-2026-12-04')]);
    expect(await idsOf(core)).toEqual([late.id]);
  });

  it('deletes all days that a shorter retention no longer covers, also on the day of an earlier purge', async () => {
    const core = await connectCore();
    await ended(core);
    await core.usage.archiveTenant('acme');
    core.passTime(9 * dayMs);
    const late = await ended(core);
    await core.usage.archiveTenant('acme');
    await core.usage.archiveDue();
    const archivedDays = async () => [...new Set((await filesOf(core)).map((name) => dirname(name)))];
    expect(await archivedDays()).toHaveLength(2);
    const days = async () =>
      (
        await core.usageCounters.read('acme', {
          fromDay: 0,
          toDay: utcDayOf(core.clock()) + 1,
          grouping: byDay,
        })
      )
        .flat()
        .map(({ day }) => day);
    expect(await days()).toHaveLength(2);

    const usage = createUsage({
      ...core,
      unarchived: core.unarchivedJobs,
      createName: () => ulid(core.clock()),
      policy: { metadataKeys: [], ledgerTtlMs: 2 * dayMs, usageTtlMs: 2 * dayMs },
    });
    await usage.archiveDue();
    await usage.archiveDue();
    expect(await archivedDays()).toEqual([expect.stringContaining('ledger-2026-12-02')]);
    expect(await days()).toEqual([utcDayOf(late.createdAt)]);
  });

  it('has no file of a day whose retention is over, also if a charge of that day is settled later', async () => {
    const core = await connectCore();
    const job = await ended(core, { state: 'uncertain' });
    await core.usage.archiveTenant('acme');
    core.passTime(11 * dayMs);
    await core.usage.archiveDue();
    await core.change(job, (now) => settleCharges(now, { microUsd: 42 }, core.clock()));
    expect(await linesOf(core)).toMatchObject([{ job_id: job.id, micro_usd: 42 }]);
    await core.usage.archiveTenant('acme');
    expect(await core.unarchivedJobs.list('acme', { offset: 0, limit: 10 })).toEqual([]);
    expect(await filesOf(core)).toEqual([]);
  });

  it('reads only the lines whose calls began in the period', async () => {
    const core = await connectCore();
    await ended(core);
    core.passTime(hourMs);
    const second = await ended(core);
    core.passTime(hourMs);
    await ended(core);
    const range = { fromMs: createdAt + 1, toMs: createdAt + 2 * hourMs };
    const within = async () => (await linesOf(core, range)).map(({ job_id }) => job_id);
    expect(await within()).toEqual([second.id]);
    await core.usage.archiveTenant('acme');
    expect(await within()).toEqual([second.id]);
  });
});
