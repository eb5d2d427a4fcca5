import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import type { Task } from '../../src/domain/ports.ts';
import { createProducerRedis, createWorkerRedis, whenRedisReady } from '../../src/lib/redis/redis.ts';
import { createTaskIntake, createTaskRelay } from '../../src/outbound/queue/task-intake.ts';
import { intakeKey } from '../../src/outbound/queue/task-queue.ts';
import { captured } from '../support/captured-log.ts';
import { emptyQueue } from '../support/queue.ts';
import { startTestRedis } from '../support/redis.ts';

const taskOf = (no: number): Task => ({ tenant: 'acme', id: `img_${String(no).padStart(26, '0')}` });

/** A queue with its intake and as many relays as wanted, none of them started. */
async function connect(address?: string) {
  const { queue, prefix, consume } = await emptyQueue(address);
  const name = { name: 'images', prefix: `{${prefix}-queue-images}` };
  const destinationKey = address ?? inject('redisPath');
  const redis = createProducerRedis(destinationKey, { onError: () => undefined });
  await whenRedisReady(redis, 10_000);
  onTestFinished(() => redis.disconnect());
  const { log, lines } = captured();
  const openRelay = () => {
    const waiting = createWorkerRedis(destinationKey, { onError: () => undefined });
    const relay = createTaskRelay(name, { redis: waiting, queue, log });
    onTestFinished(async () => {
      await relay.stop();
      waiting.disconnect();
    });
    return relay;
  };
  const intake = createTaskIntake(redis, name);
  return { queue, consume, redis, intake, openRelay, key: intakeKey(name), lines };
}

describe('the intake of a queue', () => {
  it('keeps tasks until a relay runs, counts them as waiting, and hands them over in order and by priority', async () => {
    const { queue, intake, openRelay } = await connect();
    for (let no = 1; no <= 20; no++)
      await intake.add(taskOf(no), { priority: no === 20 ? 'high' : 'normal' });
    expect(await queue.counts()).toEqual({ waiting: 20, delayed: 0, active: 0 });
    expect(await queue.position(taskOf(1).id)).toBeNull();
    openRelay().start();
    await vi.waitFor(async () => expect(await queue.position(taskOf(19).id)).toBe(19));
    expect(await queue.counts()).toEqual({ waiting: 20, delayed: 0, active: 0 });
    const positions = await Promise.all([20, 1, 2].map((no) => queue.position(taskOf(no).id)));
    expect(positions).toEqual([0, 1, 2]);
  });

  it('hands every task over exactly once, whatever the number of relays and however fast tasks come', async () => {
    const { intake, consume, openRelay } = await connect();
    const seen: string[] = [];
    consume(
      async ({ id }) => {
        seen.push(id);
        return { done: true };
      },
      { concurrency: 50 },
    );
    for (const relay of [openRelay(), openRelay(), openRelay()]) relay.start();
    await Promise.all(
      Array.from({ length: 2_000 }, (_, no) => intake.add(taskOf(no), { priority: 'normal' })),
    );
    await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(2_000), { timeout: 20_000 });
    expect(new Set(seen).size).toBe(2_000);
    expect(seen).toHaveLength(2_000);
  });

  it('has settled when everything that was added before is in the list', async () => {
    const server = await startTestRedis();
    onTestFinished(server.stop);
    const { intake, redis, key } = await connect(server.path);
    const asked = createProducerRedis(server.path, { onError: () => undefined });
    onTestFinished(() => asked.disconnect());
    await whenRedisReady(asked, 10_000);
    // Whoever does not wait sees the list as it was before.
    await redis.client('PAUSE', 200, 'WRITE');
    for (let no = 1; no <= 3; no++) void intake.add(taskOf(no), { priority: 'normal' });
    await intake.settle();
    expect(await asked.llen(key)).toBe(3);
  });

  it('is handed over again by itself after Redis was away', async () => {
    const server = await startTestRedis();
    onTestFinished(server.stop);
    const { queue, intake, openRelay, redis } = await connect(server.path);
    const relay = openRelay();
    relay.start();
    await intake.add(taskOf(1), { priority: 'normal' });
    await vi.waitFor(async () => expect(await queue.has([taskOf(1).id])).toEqual([true]));
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

  it('is emptied all the same while Redis takes no writes, and the relay says once that tasks are lost', async () => {
    const server = await startTestRedis();
    onTestFinished(server.stop);
    const { queue, intake, openRelay, redis, key, lines } = await connect(server.path);
    // More than are taken over at once.
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
    expect(lines.map(({ message }) => message)).toEqual(['tasks not taken over, the reconciler will do it']);
  });

  it('is left alone by a relay that stopped', async () => {
    const { intake, openRelay, redis, key } = await connect();
    const relay = openRelay();
    relay.start();
    await relay.stop();
    await intake.add(taskOf(1), { priority: 'low' });
    expect(await redis.lrange(key, 0, -1)).toEqual([`acme ${taskOf(1).id} low`]);
  });
});
