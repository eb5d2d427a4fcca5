import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { jobThat } from '../support/caller.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

describe('polling', () => {
  it('a poll of an ended job with its ETag is 304, and with another ETag 200', async () => {
    const { id } = await service.acme.generate({ prompt: 'Seen before' });
    const first = await service.acme.get(`/images/${id}`).expect(200).expect('etag', /^W\/"/);
    const etag = first.headers.etag ?? '';

    const again = await service.acme.get(`/images/${id}`).set('if-none-match', etag).expect(304);
    expect(again.text).toBe('');
    expect(again.headers.etag).toBe(etag);
    await service.acme.get(`/images/${id}`).set('if-none-match', 'W/"0"').expect(200);
  });

  it('a running job has Retry-After, and its ETag changes when it ends', async () => {
    const { id } = await service.acme.submit({ prompt: 'Still at it [studio:latency=500]' });
    await jobThat(service.acme, id, (job) => job.stage === 'generating');
    const running = await service.acme
      .get(`/images/${id}`)
      .expect(200)
      .expect('retry-after', /^[1-9]/);
    await service.acme.ended(id);
    const ended = await service.acme
      .get(`/images/${id}`)
      .set('if-none-match', running.headers.etag ?? '')
      .expect(200);

    expect(running.body).toMatchObject({ status: 'running', cost: { estimated: true } });
    expect(ended.body.status).toBe('succeeded');
    expect(ended.headers.etag).not.toBe(running.headers.etag);
    expect(ended.headers['retry-after']).toBeUndefined();
  });
});

describe('an ETag', () => {
  it('an ETag and the links of its response stay the same for a quarter of their lifetime', async () => {
    const { acme, close } = await startService({ LINK_TTL_S: '60' });
    onTestFinished(close);
    const { id } = await acme.generate({ prompt: 'Looked at for minutes' });
    const periodMs = 15_000;
    const start = Math.ceil(Date.now() / periodMs) * periodMs;
    vi.useFakeTimers({ toFake: ['Date'], now: start });
    onTestFinished(() => void vi.useRealTimers());
    const first = await acme.get(`/images/${id}`).expect(200);
    const again = () => acme.get(`/images/${id}`).set('if-none-match', first.headers.etag ?? '');

    vi.setSystemTime(start + periodMs - 1);
    await again().expect(304);
    expect((await acme.job(id)).images).toEqual(first.body.images);
    vi.setSystemTime(start + periodMs);
    const { body } = await again().expect(200);
    expect(body.images[0].url).not.toBe(first.body.images[0].url);
    expect(body.images[0].url_expires_at).toBe(new Date(start + periodMs + 60_000).toISOString());
  });

  it('an ETag changes with the queue position and not otherwise', async () => {
    const { acme, close } = await startService({ WORKER_CONCURRENCY: '1' });
    onTestFinished(close);
    const running = await acme.submit({ prompt: 'Before all others [studio:hang]' });
    await jobThat(acme, running.id, (job) => job.stage === 'generating');
    const next = await acme.submit({ prompt: 'Before one other' });
    const last = await acme.submit({ prompt: 'Behind one other' });
    await jobThat(acme, last.id, (job) => job.queue.position === 1);
    const pollAgain = async (id: string) => {
      const { headers } = await acme.get(`/images/${id}`).expect(200);
      return () => acme.get(`/images/${id}`).set('if-none-match', headers.etag ?? '');
    };
    const pollRunning = await pollAgain(running.id);
    const pollLast = await pollAgain(last.id);

    await pollRunning().expect(304);
    await pollLast().expect(304);
    await acme.post(`/images/${next.id}/cancel`).expect(200);
    const { body } = await pollLast().expect(200);
    expect(body.queue.position).toBe(0);
    await pollRunning().expect(304);
    for (const { id } of [last, running]) await acme.post(`/images/${id}/cancel`).expect(200);
  });
});

describe('waiting', () => {
  it('?wait delays the response until the job has ended', async () => {
    const { id } = await service.acme.submit({ prompt: 'Worth the wait [studio:latency=400]' });
    const { body } = await service.acme.get(`/images/${id}?wait=25`).expect(200);
    expect(body.status).toBe('succeeded');
  });

  it('?wait returns the running job when the time is over', async () => {
    const { id } = await service.acme.submit({ prompt: 'Not worth the wait [studio:latency=4000]' });
    const { body } = await service.acme.get(`/images/${id}?wait=1`).expect(200);
    expect(body.status).toBe('running');
    await service.acme.post(`/images/${id}/cancel`).expect(200);
  });

  it.each(['-1', '56', 'long'])('?wait=%s is refused with a pointer', async (wait) => {
    const { id } = await service.acme.generate({ prompt: `Wrong wait ${wait}` });
    const { body } = await service.acme.get(`/images/${id}?wait=${wait}`).expect(422);
    expect(body.errors).toEqual([expect.objectContaining({ pointer: '/query/wait' })]);
  });

  it('Prefer: wait returns 200 with the ended job and Preference-Applied', async () => {
    const { body } = await service.acme
      .post('/images')
      .set('prefer', 'wait=30')
      .send({ prompt: 'In one go [studio:latency=300]' })
      .expect(200)
      .expect('preference-applied', 'wait=30')
      .expect('cache-control', 'no-store');
    expect(body.status).toBe('succeeded');
  });

  it('Prefer: wait returns 202 with the location of the job when the time is over', async () => {
    const { body, headers } = await service.acme
      .post('/images')
      .set('prefer', 'wait=1')
      .send({ prompt: 'Not in one go [studio:latency=4000]' })
      .expect(202)
      .expect('preference-applied', 'wait=1');
    expect(body.status).toBe('running');
    expect(headers.location).toBe(`/images/${body.id}`);
    await service.acme.post(`/images/${body.id}/cancel`).expect(200);
  });

  it('Prefer limits wait to 55 s, and wait takes precedence over respond-async', async () => {
    const preferring = (prefer: string, prompt: string) =>
      service.acme.post('/images').set('prefer', prefer).send({ prompt });
    const long = await preferring('wait=900', 'A long wait').expect(200);
    const none = await preferring('respond-async', 'No wait [studio:latency=200]').expect(202);
    // RFC 7240, section 4.3: wait first, respond asynchronously only when the time is over.
    const both = await preferring('respond-async, wait=20', 'Some wait [studio:latency=200]').expect(200);

    expect(long.headers['preference-applied']).toBe('wait=55');
    expect(none.headers['preference-applied']).toBe('respond-async');
    expect(both.headers['preference-applied']).toBe('wait=20');
  });

  it('a caller that disconnects while it waits does not cancel the job', async () => {
    const { id } = await service.acme.submit({ prompt: 'Left alone [studio:latency=500]' });
    const leaving = new AbortController();
    const response = fetch(`${service.url}/images/${id}?wait=20`, {
      headers: { authorization: `Bearer ${testKeys.acme}` },
      signal: leaving.signal,
    });
    await jobThat(service.acme, id, (job) => job.stage === 'generating');
    leaving.abort();
    await expect(response).rejects.toThrow();
    expect((await service.acme.ended(id)).status).toBe('succeeded');
  });
});

describe('the list', () => {
  it('the list is newest first, pages without gaps and filters by metadata and status', async () => {
    const made: string[] = [];
    for (const no of ['1', '2', '3', '4', '5']) {
      const job = await service.acme.generate({ prompt: `Listed ${no}`, metadata: { batch: 'list', no } });
      made.unshift(job.id);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const after: string = cursor ? `&cursor=${cursor}` : '';
      const { body } = await service.acme.get(`/images?limit=2&metadata[batch]=list${after}`).expect(200);
      seen.push(...body.data.map((job: { id: string }) => job.id));
      cursor = body.next_cursor;
      expect(body.has_more).toBe(cursor !== null);
    } while (cursor);

    expect(seen).toEqual(made);
    const one = await service.acme.get('/images?metadata[batch]=list&metadata[no]=3&status=succeeded');
    expect(one.body.data).toEqual([expect.objectContaining({ id: made[2] })]);
    const none = await service.acme.get('/images?metadata[batch]=list&status=failed').expect(200);
    expect(none.body.data).toEqual([]);
  });

  it.each([
    ['of 64 characters outside the first plane', '😀'.repeat(64)],
    ['with a line break', 'two\nlines'],
  ])('the list filters by a metadata key %s', async (_what, key) => {
    const { id } = await service.acme.generate({ prompt: 'By its key', metadata: { [key]: 'here' } });
    const found = async (value: string) => {
      const { body } = await service.acme
        .get(`/images?metadata[${encodeURIComponent(key)}]=${value}`)
        .expect(200);
      return body.data.map((job: { id: string }) => job.id);
    };
    expect(await found('here')).toEqual([id]);
    expect(await found('elsewhere')).toEqual([]);
  });
});
