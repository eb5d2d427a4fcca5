import { describe, expect, it, onTestFinished } from 'vitest';
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
});
