import { expect, it } from 'vitest';
import type { ProcessState } from '../../src/domain/process-state.ts';
import { createProcessStates } from '../../src/outbound/records/process-states.ts';
import { connectTestStore } from '../support/store.ts';

const { redis, keys } = await connectTestStore();
const nowMs = Date.parse('2026-11-29T12:00:00Z');
const unreadable: string[] = [];
const states = createProcessStates(redis, keys, {
  clock: () => nowMs,
  onUnreadable: ({ kind, id }) => unreadable.push(`${kind} ${id}`),
});

const stateOf = (process: string, at = nowMs): ProcessState => ({
  ...{ process, at, startedAt: at, host: 'host', pid: 1, roles: ['api'], release: '1.0.0', node: 'v22.0.0' },
});
const processes = async () => (await states.list()).map(({ process }) => process).sort();

it('lists the latest report of each process until the process ends', async () => {
  await states.write(stateOf('a', nowMs - 5_000));
  await states.write(stateOf('a'));
  await states.write(stateOf('b'));
  expect(await processes()).toEqual(['a', 'b']);
  expect(await states.list()).toContainEqual(stateOf('a'));
  await states.remove('a');
  expect(await processes()).toEqual(['b']);
});

it('omits and removes the report of a process that has been silent for more than a minute', async () => {
  await states.write(stateOf('recent', nowMs - 60_000));
  await states.write(stateOf('killed', nowMs - 60_001));
  expect(await processes()).toEqual(['b', 'recent']);
  expect(await redis.hexists(keys.processes, 'killed')).toBe(0);
});

it('skips and reports a report that it cannot read', async () => {
  await redis.hset(keys.processes, 'damaged', '{');
  expect(await processes()).toEqual(['b', 'recent']);
  expect(unreadable).toEqual(['process_state damaged']);
});
