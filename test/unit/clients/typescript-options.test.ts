import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { getLedger } from '../../../clients/typescript/src/generated/index.ts';
import { payloadOf } from '../../../clients/typescript/src/image-input.ts';
import { Darkroom, type Upload, verifyWebhook } from '../../../clients/typescript/src/index.ts';
import { thrownBy } from '../../support/thrown-by.ts';

const baseUrl = 'https://darkroom.example';

describe('options of the TypeScript client', () => {
  it('an address that no call could use is refused at once', () => {
    const wrong = ['', 'localhost:8080', '//darkroom.example', 'ftp://a', 'https://u:p@a', 'https://a?b=c'];
    for (const address of wrong) {
      expect(() => new Darkroom({ apiKey: 'key', baseUrl: address }), address).toThrow('baseUrl must be');
    }
  });

  it('the path, the port and the IPv6 host of an address are used in every call', async () => {
    const urls: string[] = [];
    const fetch = async (input: string | URL | Request) => {
      urls.push(input instanceof Request ? input.url : String(input));
      return Response.json({ id: 'img_1', images: [] });
    };
    for (const address of ['http://[::1]:8080/darkroom//', 'https://darkroom.example:444']) {
      await new Darkroom({ apiKey: 'key', baseUrl: address, fetch }).get('img_1/../x');
    }
    expect(urls).toEqual([
      'http://[::1]:8080/darkroom/images/img_1%2F..%2Fx',
      'https://darkroom.example:444/images/img_1%2F..%2Fx',
    ]);
  });

  it('the id of a job is one segment of the path in every call', async () => {
    const paths: string[] = [];
    const fetch = async (input: string | URL | Request) => {
      paths.push(new URL(input instanceof Request ? input.url : String(input)).pathname);
      return new Response(null, { status: 404 });
    };
    const darkroom = new Darkroom({ apiKey: 'key', baseUrl, fetch });
    const id = 'a/../b?c';
    const calls = [
      ...[() => darkroom.get(id), () => darkroom.wait(id), () => darkroom.cancel(id)],
      ...[() => darkroom.erase(id), () => darkroom.vary(id), () => darkroom.retry(id)],
      () => darkroom.events({ job: id }).next(),
    ];
    for (const call of calls) expect(await thrownBy(call)).toMatchObject({ status: 404 });
    const job = '/images/a%2F..%2Fb%3Fc';
    expect(paths).toEqual([
      ...[job, `${job}/events`, job, `${job}/cancel`],
      ...[job, `${job}/variations`, `${job}/retry`, `${job}/events`],
    ]);
  });

  it('a key that no header can contain is refused without a call and without its text', async () => {
    for (const secret of ['dkr_se\ncret', 'dkr_sécret', 'dkr_\u{1f511}secret']) {
      const failures = [
        await thrownBy(() => new Darkroom({ apiKey: secret, baseUrl })),
        await thrownBy(() => new Darkroom({ apiKey: () => secret, baseUrl }).get('img_1')),
        await thrownBy(() => new Darkroom({ apiKey: () => secret, baseUrl }).events().next()),
      ];
      for (const failure of failures) {
        expect(failure).toBeInstanceOf(TypeError);
        expect(String(failure)).not.toMatch(/cret/);
      }
    }
    for (const idempotencyKey of ['', 'a\nb', 'a b', 'x'.repeat(256), null as unknown as string]) {
      const darkroom = new Darkroom({ apiKey: 'key', baseUrl });
      const reused = await thrownBy(() => darkroom.generate({ prompt: 'A' }, { idempotencyKey }));
      expect(reused).toMatchObject({ name: 'TypeError', message: expect.stringMatching(/^idempotencyKey/) });
    }
  });

  it('the page of another server rejects with an unexpected response instead of a job without fields', async () => {
    const headers = { 'content-type': 'text/html' };
    const fetch = async () => new Response('<h1>Welcome</h1>', { headers });
    const darkroom = new Darkroom({ apiKey: 'key', baseUrl, fetch });
    const calls = [
      () => darkroom.get('img_1'),
      () => darkroom.generate({ prompt: 'A fox' }),
      () => darkroom.edit({ prompt: 'A fox', images: Buffer.from('a file') }),
      () => darkroom.list().next(),
      () => darkroom.cancel('img_1'),
    ];
    for (const call of calls) {
      expect(await thrownBy(call)).toMatchObject({ code: 'unexpected_response', status: 200 });
    }
  });

  it('an event that was damaged on its way breaks the stream, so that a wait can continue', async () => {
    const headers = { 'content-type': 'text/event-stream' };
    const fetch = async () => new Response('data: {"type\n\n', { headers });
    const stream = new Darkroom({ apiKey: 'key', baseUrl, fetch }).events();
    const failure = await thrownBy(async () => {
      for await (const _ of stream);
    });
    expect(failure).toMatchObject({ code: 'connection_failed', message: 'The stream broke' });
  });

  it('the lines of the ledger are returned as they arrived', async () => {
    const lines = '{"id":"a"}\n{"id":"b"}\n';
    const headers = { 'content-type': 'application/x-ndjson; charset=utf-8' };
    const { client } = new Darkroom({
      apiKey: 'key',
      baseUrl,
      fetch: async () => new Response(lines, { headers }),
    });
    const { data } = await getLedger({ client, throwOnError: true, parseAs: 'text' });
    expect(data).toBe(lines);
  });

  it('white space at the ends of a key, as files have it, is removed', async () => {
    const sent: (string | null)[] = [];
    const fetch = async (input: string | URL | Request) => {
      sent.push((input as Request).headers.get('authorization'));
      return Response.json({ id: 'img_1', images: [] });
    };
    await new Darkroom({ apiKey: async () => ' dkr_1\n', baseUrl, fetch }).get('img_1');
    expect(sent).toEqual(['Bearer dkr_1']);
  });

  it('the timeout of a call covers its submission, and the error has the key to continue', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    onTestFinished(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    const darkroom = new Darkroom({ apiKey: 'key', baseUrl: `http://127.0.0.1:${port}` });
    const failure = await thrownBy(() =>
      darkroom.generate({ prompt: 'A fox' }, { timeoutMs: 50, idempotencyKey: 'k' }),
    );
    expect(failure).toMatchObject({ code: 'wait_timeout', idempotencyKey: 'k', jobId: undefined });
  });

  it('a timeout that is longer than a timer can run does not end the call', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const fetch: typeof globalThis.fetch = async (_input, init) => {
      await vi.advanceTimersByTimeAsync(20_000);
      init?.signal?.throwIfAborted();
      return Response.json({ id: 'img_1', status: 'succeeded', images: [{ index: 0 }] });
    };
    const darkroom = new Darkroom({ apiKey: 'key', baseUrl, fetch });
    const job = await darkroom.generate({ prompt: 'A fox' }, { timeoutMs: Number.MAX_SAFE_INTEGER });
    expect(job.status).toBe('succeeded');
  });
});

describe('inputs of the TypeScript client', () => {
  it('bytes and streams are sent as files, in their sequence', async () => {
    const text = (value: string) => new TextEncoder().encode(value);
    const images = [text('one'), Buffer.from('two'), text('three').buffer, new Blob(['four']).stream()];
    const { form, bytes } = await payloadOf({ prompt: 'A fox', images, mask: Buffer.from('mask') }, () =>
      Promise.reject(new Error('nothing is uploaded')),
    );
    const files = form?.getAll('image[]') as File[];
    const mask = form?.get('mask') as File;
    expect(await Promise.all(files.map((file) => file.text()))).toEqual(['one', 'two', 'three', 'four']);
    expect(await mask.text()).toBe('mask');
    expect(bytes).toBe('onetwothreefourmask'.length);
  });
});

describe('a cancel whose response was lost', () => {
  it.each([
    ['returns the job that is canceled', 'canceled'],
    ['rejects if the job ended in another way, because it was charged', 'succeeded'],
  ])('%s', async (_, status) => {
    let calls = 0;
    const fetch = async (input: string | URL | Request) => {
      calls += 1;
      if (calls === 1) throw new TypeError('fetch failed', { cause: new Error('lost') });
      if ((input as Request).method === 'GET') return Response.json({ id: 'img_1', status, images: [] });
      const problem = { code: 'already_terminal', detail: 'It has ended.', retryable: false };
      return Response.json(problem, { status: 409 });
    };
    const outcome = new Darkroom({ apiKey: 'key', baseUrl, fetch }).cancel('img_1').catch((error) => error);
    expect(await outcome).toMatchObject(status === 'canceled' ? { status } : { code: 'already_terminal' });
  });
});

describe('a file before another image of an edit', () => {
  const images = [new Blob(['photo']), 'https://example.com/fox.png'];

  it('is refused before any request under a key of the caller, because a repetition would have another upload', async () => {
    const fetch = () => Promise.reject(new Error('a request was sent'));
    const darkroom = new Darkroom({ apiKey: 'key', baseUrl: 'http://127.0.0.1:1', fetch });
    const edit = darkroom.edit({ prompt: 'A fox', images }, { idempotencyKey: 'book-1' });
    expect(await thrownBy(() => edit)).toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining('put files after'),
    });
    const { form } = await payloadOf({ prompt: 'A fox', images: images.toReversed() }, null);
    expect(form?.getAll('image[]')).toHaveLength(1);
  });

  it('is uploaded first without a key of the caller', async () => {
    const upload = vi.fn(async () => ({ id: 'upl_1', object: 'upload' }) as Upload);
    const { json } = await payloadOf({ prompt: 'A fox', images }, upload);
    expect(json.images).toEqual([{ upload_id: 'upl_1' }, { url: images[1] }]);
  });
});

describe('verifyWebhook', () => {
  const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
  const body = '{"type":"webhook.test","timestamp":"2026-11-29T10:00:00.000Z","data":{}}';
  const now = new Date();
  const signature = new Webhook(secret).sign('evt_1', now, body);
  const time = String(Math.floor(now.getTime() / 1000));

  it('reads the headers in any case, and the body as text or as bytes', async () => {
    const headers = { 'Webhook-Id': 'evt_1', 'WEBHOOK-TIMESTAMP': time, 'webhook-signature': [signature] };
    for (const each of [body, Buffer.from(body), new TextEncoder().encode(body).buffer]) {
      expect((await verifyWebhook(each, headers, { secret })).type).toBe('webhook.test');
    }
  });

  it('reports a missing secret as a fault of the program, not as a forged webhook', async () => {
    const headers = { 'webhook-id': 'evt_1', 'webhook-timestamp': time, 'webhook-signature': signature };
    for (const missing of ['', [], undefined as unknown as string]) {
      const failure = await thrownBy(() => verifyWebhook(body, headers, { secret: missing }));
      expect(failure).toMatchObject({ name: 'TypeError', message: 'Missing secret of the webhook.' });
    }
  });
});
