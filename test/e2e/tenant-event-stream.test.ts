import { beforeAll, describe, expect, it } from 'vitest';
import { eventsOf, openTenantEvents, readEvents } from '../support/event-stream.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

describe('the event stream of a tenant', () => {
  it('the stream sends every event of every job of the tenant, each once and in the order of each job', async () => {
    const stream = await openTenantEvents(service.url);
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const [first, second] = await Promise.all(
      ['A lamp', 'A chair'].map((prompt) => service.acme.submit({ prompt })),
    );
    await service.other.submit({ prompt: 'A job of another tenant' });
    const ids = [first?.id ?? '', second?.id ?? ''];
    const expected = (
      await Promise.all(ids.map((id) => service.acme.ended(id).then(() => readEvents(service.url, id))))
    ).flat();
    const events = await eventsOf(stream, expected.length);

    const shapeOf = ({ id, type, status, stage, at }: (typeof events)[number]) => ({
      id,
      type,
      status,
      stage,
      at,
    });
    for (const id of ids) {
      expect(events.filter((event) => event.id === id).map(shapeOf)).toEqual(
        expected.filter((event) => event.id === id).map(shapeOf),
      );
    }
    expect(new Set(events.map(({ no }) => no)).size).toBe(events.length);
    expect(events.filter(({ job }) => job).map(({ type }) => type)).toEqual([
      'image.succeeded',
      'image.succeeded',
    ]);
  });

  it('the stream resumes after Last-Event-ID, also between two events of one change', async () => {
    const stream = await openTenantEvents(service.url);
    const { id } = await service.acme.submit({ prompt: 'A door' });
    await service.acme.ended(id);
    const count = (await readEvents(service.url, id)).length;
    const all = await eventsOf(stream, count);
    for (const [i, { no }] of all.slice(0, -1).entries()) {
      const rest = await eventsOf(await openTenantEvents(service.url, { lastEventId: no }), count - 1 - i);
      expect(rest.map((event) => event.no)).toEqual(all.slice(i + 1).map((event) => event.no));
    }
  });

  it.each(['nonsense', '9999999999999-0-1', '9999999999999999-9999999999-999999'])(
    'the stream starts with the next event if Last-Event-ID is not one of its ids: %s',
    async (lastEventId) => {
      const stream = await openTenantEvents(service.url, { lastEventId });
      const { id } = await service.acme.submit({ prompt: 'A window' });
      const [event] = await eventsOf(stream, 1);
      expect(event).toMatchObject({ id, type: 'image.queued' });
      // The next stream must not begin with an event of this job.
      await service.acme.ended(id);
    },
  );

  it('the stream skips jobs that were erased', async () => {
    const stream = await openTenantEvents(service.url, { key: testKeys.other });
    const erased = await service.other.submit({ prompt: 'A secret' });
    const [{ no = '' } = {}] = await eventsOf(stream, 1);
    await service.other.ended(erased.id);
    await service.other.delete(`/images/${erased.id}`).expect(204);
    const resumed = await openTenantEvents(service.url, { key: testKeys.other, lastEventId: no });
    const { id } = await service.other.submit({ prompt: 'A roof' });
    const [event] = await eventsOf(resumed, 1);
    expect(event?.id).toBe(id);
  });
});
