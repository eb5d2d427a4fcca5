import { expect, it, onTestFinished } from 'vitest';
import { createWaitingCallers, startPresence } from '../../src/outbound/records/waiting-callers.ts';
import { connectTestStore } from '../support/store.ts';

const { redis, keys } = await connectTestStore();
const callers = createWaitingCallers(redis, keys);

it('requests that wait for the same job are counted over all live processes, and not those of dead processes', async () => {
  for (const process of ['p5', 'p6']) onTestFinished(startPresence(redis, keys.presence(process)));
  // Presence lasts 20 minutes, and this one is 9 s old.
  await redis.set(keys.presence('p7'), '1', 'PX', 20 * 60_000 - 9_000);
  const waiters = ['p5.1', 'p5.2', 'p6.1', 'p7.1'].map((holder) => ({
    tenant: 'acme',
    name: 'img_shared',
    holder,
  }));
  await Promise.all(waiters.map(callers.enter));
  const counts = [];
  for (const waiter of waiters.slice(0, 3)) counts.push(await callers.leave(waiter));
  expect(counts).toEqual([2, 1, 0]);
});
