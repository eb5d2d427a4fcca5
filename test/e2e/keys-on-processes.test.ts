import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCaller } from '../support/caller.ts';
import { type ManagedKeys, manageKeysOf, type NewKey } from '../support/managed-keys.ts';
import { createEnvironment, type TestEnvironment } from '../support/service-environment.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

/** Maximum time from the response to a change until every process follows, in milliseconds. */
const maxDelayMs = 1_000;

let environment: TestEnvironment;
let processes: ServiceProcess[];
let keys: ManagedKeys;
beforeAll(async () => {
  environment = await createEnvironment({ ROLES: 'api' });
  processes = await Promise.all([1, 2, 3].map(() => startServiceProcess(environment.env)));
  keys = manageKeysOf(processes[0]?.url ?? '');
}, 120_000);
afterAll(async () => {
  await Promise.all(processes.map((each) => each.stop()));
  await environment.remove();
});

const statusAt = async ({ url }: ServiceProcess, { key }: Pick<NewKey, 'key'>): Promise<number> =>
  (await createCaller(url, key).post('/images').send({ prompt: 'A fox' })).status;

/** Sends requests to every process until each has responded with a status. Returns the longest time that it took. */
async function followedAfterMs(key: NewKey, status: number): Promise<number> {
  const startedAt = performance.now();
  const delays = processes.map(async (each) => {
    for (;;) {
      // The time at which the request was sent counts, because a busy machine delays the response.
      const sentAfterMs = performance.now() - startedAt;
      if ((await statusAt(each, key)) === status) return sentAfterMs;
    }
  });
  return Math.max(...(await Promise.all(delays)));
}

it.each([
  ['revoked', 401, (id: string) => keys.operator.delete(`/keys/${id}`)],
  ['disabled', 401, (id: string) => keys.operator.patch(`/keys/${id}`).send({ disabled: true })],
  ['capped', 402, (id: string) => capped(id)],
  ['bound to another model', 403, (id: string) => bound(id)],
  ['suspended with its tenant', 403, () => keys.operator.patch('/tenants/many').send({ suspended: true })],
] as const)(
  'refuses a key that was %s at one process at every process within a second',
  async (_, status, change) => {
    await keys.operator.patch('/tenants/many').send({ suspended: false }).expect(200);
    const key = await keys.create({ tenant: 'many' });
    await followedAfterMs(key, 202);
    await change(key.id);
    expect(await followedAfterMs(key, status)).toBeLessThan(maxDelayMs);
  },
  60_000,
);

const capped = (id: string) =>
  keys.operator.patch(`/keys/${id}`).send({ budgets: [{ window: 'total', limit_micro_usd: 0 }] });
const bound = (id: string) => keys.operator.patch(`/keys/${id}`).send({ models: ['gpt-image-2'] });

it('refuses no request while a key is rotated under load', async () => {
  const made = await keys.create({ tenant: 'rotated' });
  let key: Pick<NewKey, 'key'> = made;
  let isOver = false;
  const statuses = new Map<number, number>();
  const callers = processes.flatMap((each) =>
    [1, 2].map(async () => {
      while (!isOver) {
        const status = (await createCaller(each.url, key.key).get('/keys/self')).status;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }),
  );
  for (let i = 0; i < 4; i++) {
    const before = statuses.get(200) ?? 0;
    key = (await keys.operator.post(`/keys/${made.id}/rotate`).send({ grace_s: 60 }).expect(200)).body;
    await expect.poll(() => statuses.get(200), { timeout: 20_000 }).toBeGreaterThan(before + 30);
  }
  isOver = true;
  await Promise.all(callers);
  expect([...statuses.keys()]).toEqual([200]);
}, 90_000);
