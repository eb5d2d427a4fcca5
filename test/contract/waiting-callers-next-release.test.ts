import { expect, it } from 'vitest';
import { createWaitingCallers } from '../../src/outbound/records/waiting-callers.ts';
import { connectTestStore } from '../support/store.ts';

const { redis, keys } = await connectTestStore();
const callers = createWaitingCallers(redis, keys);
const nowMs = 1_764_000_000_000;
const request = { tenant: 'acme', group: 'next', holder: 'p1.2', nowMs };

it('a job to whose value the next release has added parts is joined by a repeated request, and its wait can end', async () => {
  const write = (value: string) => redis.hset(keys.waitingCallers('acme', 'next'), 'img_next', value);
  await write(`${nowMs} orphan ${nowMs} p1.1 eu-1`);
  const claimed = await callers.claim({ ...request, jobId: 'img_new' });
  expect(claimed).toEqual({ jobId: 'img_next', isJoined: true });

  await write(`${nowMs} waiting ${nowMs} p1.2 eu-1`);
  expect(await callers.release({ ...request, jobId: 'img_next' }, 'delivered')).toBe(true);
});
