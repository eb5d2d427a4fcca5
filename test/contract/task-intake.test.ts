import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Task } from '../../src/domain/ports.ts';
import { createProducerRedis, whenRedisReady } from '../../src/lib/redis/redis.ts';
import { intakeKey } from '../../src/outbound/queue/queue-names.ts';
import { createTaskIntake } from '../../src/outbound/queue/task-intake.ts';
import { captured } from '../support/captured-log.ts';
import { eventually } from '../support/eventually.ts';
import { emptyJobQueue } from '../support/queue.ts';
import { startTestRedis } from '../support/redis.ts';

const taskOf = (no: number): Task => ({
  kind: 'run_job',
  tenant: 'acme',
  id: `img_${String(no).padStart(26, '0')}`,
});

/** Creates a queue with its intake and relays that are not started. */
async function connect(address?: string) {
  const { queue, name, redis, stored, openRelay, startWorker } = await emptyJobQueue(address);
  const { log, lines } = captured();
  const intake = createTaskIntake(redis, name);
  return {
    ...{ queue, stored, redis, intake, lines, startWorker },
    key: intakeKey(name),
    openRelay: () => openRelay(() => 0, log),
  };
}

describe('the intake of a queue', () => {
  it('holds tasks in the intake until a relay runs, counts them as waiting, and moves them in order and by priority', async () => {
    const { queue, intake, openRelay } = await connect();
    for (let no = 1; no <= 20; no++)
      await intake.add(taskOf(no), { priority: no === 20 ? 'high' : 'normal' });
    expect(await queue.counts()).toEqual({ waiting: 20, delayed: 0, active: 0 });
    expect(await queue.position(taskOf(1).id)).toBeNull();
    openRelay().start();
    await eventually(async () => expect(await queue.position(taskOf(19).id)).toBe(19));
    expect(await queue.counts()).toEqual({ waiting: 20, delayed: 0, active: 0 });
    const positions = await Promise.all([20, 1, 2].map((no) => queue.position(taskOf(no).id)));
    expect(positions).toEqual([0, 1, 2]);
  });

  it('moves every task exactly once with three relays and 1,000 tasks at once', async () => {
    const { intake, startWorker, openRelay } = await connect();
    const seen: string[] = [];
    startWorker(
      async ({ id }) => {
        seen.push(id);
        return { done: true };
      },
      // The lock is longer than the test, so that no task runs twice because the machine is busy.
      { concurrency: 50, lockDurationMs: 60_000 },
    );
    for (const relay of [openRelay(), openRelay()]) relay.start();
    await Promise.all(
      Array.from({ length: 1_000 }, (_, no) => intake.add(taskOf(no), { priority: 'normal' })),
    );
    await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(1_000), { timeout: 40_000 });
    expect(new Set(seen).size).toBe(1_000);
    expect(seen).toHaveLength(1_000);
  });

  it('flushes the intake only after every earlier task is in the list', async () => {
    const server = await startTestRedis();
    onTestFinished(server.stop);
    const { intake, redis, key } = await connect(server.path);
    const producer = createProducerRedis(server.path, { onError: () => undefined });
    onTestFinished(() => producer.disconnect());
    await whenRedisReady(producer, 10_000);
    // Without the wait the list would still be empty.
    await redis.client('PAUSE', 200, 'WRITE');
    for (let no = 1; no <= 3; no++) void intake.add(taskOf(no), { priority: 'normal' });
    await intake.flush();
    expect(await producer.llen(key)).toBe(3);
  });

  it('relays the intake again after an outage of Redis', async () => {
    const server = await startTestRedis();
    onTestFinished(server.stop);
    const { queue, intake, openRelay, redis } = await connect(server.path);
    const relay = openRelay();
    relay.start();
    await intake.add(taskOf(1), { priority: 'normal' });
    await eventually(async () => expect(await queue.has([taskOf(1).id])).toEqual([true]));
    await server.kill9();
    await expect(intake.add(taskOf(2), { priority: 'normal' })).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    await server.restart();
    expect(await whenRedisReady(redis, 10_000)).toBe(true);
    await intake.add(taskOf(3), { priority: 'normal' });
    await vi.waitFor(async () => expect(await queue.has([taskOf(3).id])).toEqual([true]), {
      timeout: 10_000,
    });
  });

  it('empties the intake while Redis refuses writes, and logs the lost tasks once', async () => {
    const server = await startTestRedis();
    onTestFinished(server.stop);
    const { queue, intake, openRelay, redis, key, lines } = await connect(server.path);
    // The tasks fill more than one batch of the relay.
    await Promise.all(
      Array.from({ length: 1_200 }, (_, no) => intake.add(taskOf(no), { priority: 'normal' })),
    );
    await server.refuseWrites(true);
    openRelay().start();
    await vi.waitFor(async () => expect(await redis.llen(key)).toBe(0), { timeout: 20_000 });
    await server.refuseWrites(false);
    await intake.add(taskOf(1_200), { priority: 'normal' });
    await vi.waitFor(async () => expect(await queue.has([taskOf(1_200).id])).toEqual([true]), {
      timeout: 10_000,
    });
    expect(lines.map(({ message }) => message)).toEqual(['intake relay failing; reconciler will re-enqueue']);
  });

  it('reads nothing from the intake after its relay stopped', async () => {
    const { intake, openRelay, redis, key } = await connect();
    const relay = openRelay();
    relay.start();
    await relay.stop();
    await intake.add(taskOf(1), { priority: 'low' });
    expect(await redis.llen(key)).toBe(1);
  });

  it('passes a task of a newer release on unchanged and drops a damaged entry', async () => {
    const { queue, stored, openRelay, redis, key, lines } = await connect();
    const message = { v: 2, kind: 'edit_job', tenant: 'acme', id: 'img_9', inputs: ['upl_1'] };
    await redis.rpush(key, 'damaged', JSON.stringify({ taskId: 'img_9', priority: 'urgent', message }));
    openRelay().start();
    await eventually(async () => expect(await queue.has(['img_9'])).toEqual([true]));
    expect(JSON.parse((await stored('img_9')).data ?? '')).toEqual(message);
    expect(lines.map(({ message: text }) => text)).toEqual([
      'damaged intake entry dropped; reconciler will re-enqueue',
    ]);
  });
});
