import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Darkroom } from '../../../clients/typescript/src/index.ts';
import { serve } from '../../support/scripted-server.ts';

const job = { id: 'img_1', status: 'queued', images: [] };

describe('breaks of the TypeScript client', () => {
  it('a call whose first attempt takes longer than retryForMs is retried with the same key', async () => {
    const server = await serve((response, _request, index) => {
      if (index > 0) response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify(job));
    });
    const darkroom = new Darkroom({ apiKey: 'key', baseUrl: server.url, timeoutMs: 800, retryForMs: 700 });
    expect((await darkroom.generate({ prompt: 'A fox' }, { wait: false })).id).toBe('img_1');
    expect(server.seen).toHaveLength(2);
    expect(new Set(server.seen.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  it('a step of the clock does not end the retries of a call', async () => {
    const server = await serve((response, _request, index) => {
      if (index < 2) response.destroy();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(job));
    });
    const clock = Date.now;
    onTestFinished(() => {
      Date.now = clock;
    });
    const onRetry = () => {
      Date.now = () => clock() + 3_600_000;
    };
    const darkroom = new Darkroom({ apiKey: 'key', baseUrl: server.url, onRetry });
    expect((await darkroom.get('img_1')).id).toBe('img_1');
  });

  it('a stream does not break while its reader works on an event for longer than a silence may last', async () => {
    const event = (id: number) => `id: ${id}\ndata: ${JSON.stringify({ type: 'image.started', id })}\n\n`;
    const server = await serve((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event(1));
      void pause(50).then(() => response.end(event(2)));
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const ids: (string | undefined)[] = [];
    for await (const { id } of new Darkroom({ apiKey: 'key', baseUrl: server.url }).events()) {
      ids.push(id);
      await vi.advanceTimersByTimeAsync(60_000);
    }
    expect(ids).toEqual(['1', '2']);
  });
});
