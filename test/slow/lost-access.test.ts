import { beforeAll, describe, expect, it } from 'vitest';
import { eventsOf } from '../support/event-stream.ts';
import { type ManagedKeys, manageKeysOf, type NewKey } from '../support/managed-keys.ts';
import { messagesOf, openModern } from '../support/mcp-requests.ts';
import { startService, type TestService } from '../support/service.ts';

/** Documented bound, and a second for a busy machine. */
const maxDelayMs = 3_000;

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService();
  keys = manageKeysOf(service.url);
  return service.close;
});

/** Ways to lose access, with the status of every later request. */
const losses: readonly [string, 401 | 403, (key: NewKey) => Promise<unknown>][] = [
  ['is revoked', 401, ({ id }) => keys.operator.delete(`/keys/${id}`).expect(204)],
  ['is disabled', 401, ({ id }) => keys.operator.patch(`/keys/${id}`).send({ disabled: true }).expect(200)],
  [
    'expires',
    401,
    ({ id }) => {
      const expires_at = new Date(Date.now() + 500).toISOString();
      return keys.operator.patch(`/keys/${id}`).send({ expires_at }).expect(200);
    },
  ],
  [
    'gets a new text',
    401,
    ({ id }) => keys.operator.post(`/keys/${id}/rotate`).send({ grace_s: 0 }).expect(200),
  ],
  [
    'loses its scope',
    403,
    ({ id }) =>
      keys.operator
        .patch(`/keys/${id}`)
        .send({ scopes: ['webhooks'] })
        .expect(200),
  ],
  [
    'has its tenant suspended',
    403,
    ({ tenant }) => keys.operator.patch(`/tenants/${tenant}`).send({ suspended: true }).expect(200),
  ],
];

const open = (path: string, { key }: NewKey, signal: AbortSignal | null = null) =>
  fetch(`${service.url}${path}`, { headers: { authorization: `Bearer ${key}` }, signal });

const statusOf = async (path: string, key: NewKey) => (await open(path, key)).status;

describe('open responses of a key', () => {
  it.each(losses)(
    'end within two seconds if the key %s, and a new request gets %i',
    async (how, status, lose) => {
      const key = await keys.create({ tenant: `lost-${how.replaceAll(' ', '-')}` });
      const caller = keys.callerOf(key);
      const { id } = await caller.submit({ prompt: 'A fox [studio:hang]' });
      const streams = [await open('/events', key), await open(`/images/${id}/events`, key)];
      const listening = { method: 'subscriptions/listen', params: { notifications: { taskIds: [id] } } };
      const subscription = await openModern(service, listening, key);
      const polled = statusOf(`/images/${id}?wait=50`, key);
      const submitted = caller
        .post('/images')
        .set('prefer', 'wait=50')
        .send({ prompt: 'A bear [studio:hang]' })
        .then((response) => response);
      await expect.poll(async () => (await caller.get('/images')).body.data.length).toBe(2);

      await lose(key);
      const lostAtMs = performance.now();
      await Promise.all(streams.map((stream) => eventsOf(stream)));
      expect((await messagesOf(subscription)).at(-1)).toMatchObject({ result: { resultType: 'complete' } });
      const accepted = await submitted;
      expect(await polled).toBe(status);
      expect(performance.now() - lostAtMs).toBeLessThan(maxDelayMs);
      expect([accepted.status, accepted.body.status]).toEqual([202, 'queued']);
      for (const path of ['/events', `/images/${id}/events`, `/images/${id}?wait=1`]) {
        expect(await statusOf(path, key)).toBe(status);
      }
    },
  );

  it('stay open if another key of the tenant is revoked', async () => {
    const [key, revoked] = [
      await keys.create({ tenant: 'neighbors' }),
      await keys.create({ tenant: 'neighbors' }),
    ];
    const end = new AbortController();
    const stream = await open('/events', key, end.signal);
    const lost = await open('/events', revoked);
    await keys.operator.delete(`/keys/${revoked.id}`).expect(204);
    await eventsOf(lost);
    const { id } = await keys.callerOf(key).submit({ prompt: 'An owl' });
    expect(await eventsOf(stream, 1)).toMatchObject([{ id, type: 'image.queued' }]);
    end.abort();
  });
});
