import { beforeAll, describe, expect, it } from 'vitest';
import { eventsOf, openEvents, readEvents } from '../support/event-stream.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

describe('the event stream of a job', () => {
  it('the stream sends every change once and in order and ends after the terminal event', async () => {
    const { id } = await service.acme.submit({ prompt: 'A lamp [studio:latency=300]', enhance: 'always' });
    const response = await openEvents(service.url, id);
    const events = await eventsOf(response);

    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(events.map(({ no, name, status, stage }) => [no, name, status, stage])).toEqual([
      ['1', 'image.queued', 'queued', null],
      ['2', 'image.started', 'running', null],
      ['3', 'image.progress', 'running', 'enhancing'],
      ['4', 'image.progress', 'running', 'generating'],
      ['5', 'image.progress', 'running', 'storing'],
      ['6', 'image.progress', 'running', 'storing'],
      ['7', 'image.succeeded', 'succeeded', null],
    ]);
    expect(new Set(events.map((event) => event.id))).toEqual(new Set([id]));
    expect(events.map((event) => event.at)).toEqual(events.map((event) => event.at).sort());
    const { images, ...job } = await service.acme.job(id);
    const { images: streamedImages = [], ...streamed } = events.at(-1)?.job ?? {};
    expect(streamed).toEqual(job);
    expect(streamedImages[0]?.sha256).toBe(images[0]?.sha256);
    expect(events.slice(0, -1).some((event) => event.job)).toBe(false);
  });

  it('the stream sends every image with a working link when it is stored', async () => {
    const { id } = await service.acme.submit({ prompt: 'A series [studio:latency=200]', n: 3 });
    const events = await eventsOf(await openEvents(service.url, id));

    const withImage = events.filter((event) => event.image);
    expect(withImage.map(({ name, image }) => [name, image?.index]).sort()).toEqual([
      ['image.progress', 0],
      ['image.progress', 1],
      ['image.progress', 2],
    ]);
    const { images } = await service.acme.job(id);
    for (const { image } of withImage) {
      expect(image?.sha256).toBe(images.find(({ index }) => index === image?.index)?.sha256);
      const bytes = await fetch(image?.url ?? '');
      expect(bytes.headers.get('content-type')).toBe('image/png');
      expect((await bytes.arrayBuffer()).byteLength).toBe(image?.size_bytes);
    }
    const again = await readEvents(service.url, id);
    expect(again.map(({ no, image }) => [no, image?.index])).toEqual(
      events.map(({ no, image }) => [no, image?.index]),
    );
  });

  it('the stream resumes after Last-Event-ID while the job runs', async () => {
    const { id } = await service.acme.submit({ prompt: 'Cut in the middle [studio:latency=500]' });
    const seen = await eventsOf(await openEvents(service.url, id), 2);
    const last = seen.at(-1)?.no ?? '';
    const rest = await eventsOf(await openEvents(service.url, id, last));

    const all = await readEvents(service.url, id);
    expect([...seen, ...rest].map((event) => event.no)).toEqual(all.map((event) => event.no));
    expect(rest.at(-1)?.status).toBe('succeeded');
  });

  it('the stream replays the rest of an ended job, or is 204 if no event is left', async () => {
    const { id } = await service.acme.generate({ prompt: 'All over' });
    const all = await readEvents(service.url, id);
    const rest = await eventsOf(await openEvents(service.url, id, '2'));
    const after = await openEvents(service.url, id, all.at(-1)?.no);

    expect(rest).toEqual(all.slice(2).map((event) => expect.objectContaining({ no: event.no })));
    expect(after.status).toBe(204);
    expect(await after.text()).toBe('');
  });

  it('the stream starts from the beginning if Last-Event-ID is unknown', async () => {
    const { id } = await service.acme.generate({ prompt: 'An odd id' });
    const events = await eventsOf(await openEvents(service.url, id, 'yesterday'));
    expect(events[0]?.name).toBe('image.queued');
  });

  it('the stream of a running job sends the terminal event if Last-Event-ID is too high', async () => {
    const { id } = await service.acme.submit({ prompt: 'Too high an id [studio:latency=500]' });
    const events = await eventsOf(await openEvents(service.url, id, '50'));
    expect(events.at(-1)).toMatchObject({ name: 'image.succeeded', job: { status: 'succeeded' } });
  });

  it('the stream ends with image.canceled after a cancel and at once after an erase', async () => {
    const canceled = await service.acme.submit({ prompt: 'To cancel [studio:hang]' });
    const erased = await service.acme.submit({ prompt: 'To erase [studio:hang]' });
    const streams = [canceled, erased].map(({ id }) => openEvents(service.url, id).then((r) => eventsOf(r)));
    await service.acme.post(`/images/${canceled.id}/cancel`).expect(200);
    await service.acme.delete(`/images/${erased.id}`).expect(204);

    const [ofCanceled, ofErased] = await Promise.all(streams);
    expect(ofCanceled?.at(-1)).toMatchObject({ name: 'image.canceled', job: { status: 'canceled' } });
    expect(ofErased?.some((event) => event.job)).toBe(false);
  });
});
