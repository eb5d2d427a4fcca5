import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { WebhookSecretError } from '../../src/lib/crypto/webhook-secret.ts';
import { someSecret, startEndpoint, startSender } from '../support/webhook-sender.ts';

const body = JSON.stringify({ type: 'image.succeeded', data: { id: 'img_1', note: 'Zürich 夜' } });

describe('one attempt of the webhook sender', () => {
  it('posts the exact body with a signature that the reference verifier accepts', async () => {
    const endpoint = await startEndpoint();
    const response = await startSender().send(endpoint.url, { body });
    const [received] = endpoint.requests;
    expect(response).toEqual({
      status: 200,
      outcome: 'delivered',
      latencyMs: expect.any(Number),
      sentHeaders: {
        'content-type': 'application/json',
        'user-agent': 'Darkroom/1.2.3',
        'webhook-id': 'evt_1',
        'webhook-timestamp': received?.headers['webhook-timestamp'],
      },
    });
    expect(received).toMatchObject({ method: 'POST', path: '/hook?a=1', body });
    expect(received?.headers).toEqual({
      host: `127.0.0.1:${endpoint.port}`,
      connection: 'keep-alive',
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'Darkroom/1.2.3',
      'webhook-id': 'evt_1',
      'webhook-timestamp': expect.stringMatching(/^\d+$/),
      'webhook-signature': expect.stringMatching(/^v1,/),
    });
    const headers = received?.headers as Record<string, string>;
    expect(new Webhook(someSecret).verify(received?.body ?? '', headers)).toEqual(JSON.parse(body));
  });

  it('sends the time of the attempt, and the same id when an event is sent again', async () => {
    const endpoint = await startEndpoint();
    let nowMs = 1_700_000_000_999;
    const { send } = startSender({ clock: () => nowMs });
    await send(endpoint.url);
    nowMs += 300_000;
    await send(endpoint.url);
    const sent = endpoint.requests.map(({ headers }) => [
      headers['webhook-id'],
      headers['webhook-timestamp'],
    ]);
    expect(sent).toEqual([
      ['evt_1', '1700000000'],
      ['evt_1', '1700000300'],
    ]);
    expect(endpoint.requests[0]?.headers['webhook-signature']).not.toBe(
      endpoint.requests[1]?.headers['webhook-signature'],
    );
  });

  it('signs with every secret', async () => {
    const endpoint = await startEndpoint();
    const other = `whsec_${randomBytes(24).toString('base64')}`;
    await startSender().send(endpoint.url, { body, secrets: [someSecret, other] });
    const headers = endpoint.requests[0]?.headers as Record<string, string>;
    for (const one of [someSecret, other])
      expect(new Webhook(one).verify(body, headers)).toEqual(JSON.parse(body));
  });

  it('never sends an unsigned request', async () => {
    const endpoint = await startEndpoint();
    const { send } = startSender();
    for (const secrets of [[], ['whsec_']]) {
      await expect(send(endpoint.url, { secrets })).rejects.toBeInstanceOf(WebhookSecretError);
    }
    expect(endpoint.connections()).toBe(0);
  });
});

describe('the response of an endpoint', () => {
  it('never follows a redirect', async () => {
    const inner = await startEndpoint();
    for (const status of [301, 302, 303, 307, 308]) {
      const endpoint = await startEndpoint((_request, response) => {
        response.writeHead(status, { location: inner.url }).end();
      });
      const response = await startSender().send(endpoint.url);
      expect(response).toMatchObject({
        status,
        outcome: 'redirect_refused',
        detail: expect.stringContaining(`${status}`),
      });
    }
    expect(inner.connections()).toBe(0);
  });

  it('reports 410 as gone and any other failure by its status', async () => {
    const endpoint = await startEndpoint((request, response) =>
      response.writeHead(Number(request.url?.slice(1))).end('x'),
    );
    const { send } = startSender();
    const outcomes: string[] = [];
    for (const status of [204, 410, 400, 404, 413, 500]) {
      outcomes.push((await send(`http://127.0.0.1:${endpoint.port}/${status}`)).outcome);
    }
    expect(outcomes).toEqual(['delivered', 'gone', 'http_400', 'http_404', 'http_413', 'http_500']);
  });

  it('reads Retry-After as seconds and as a date', async () => {
    const nowMs = Date.UTC(2026, 0, 1);
    const retryHints = ['120', new Date(nowMs + 90_000).toUTCString(), 'soon'];
    const endpoint = await startEndpoint((_request, response) => {
      response.writeHead(429, { 'retry-after': retryHints.shift() ?? '' }).end();
    });
    const { send } = startSender({ clock: () => nowMs });
    expect(await send(endpoint.url)).toMatchObject({ outcome: 'http_429', retryAfterMs: 120_000 });
    expect(await send(endpoint.url)).toMatchObject({ outcome: 'http_429', retryAfterMs: 90_000 });
    expect(await send(endpoint.url)).not.toHaveProperty('retryAfterMs');
  });

  it('does not take early hints for the response', async () => {
    const endpoint = await startEndpoint((_request, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      response.writeHead(503).end();
    });
    expect(await startSender().send(endpoint.url)).toMatchObject({ status: 503, outcome: 'http_503' });
  });
});
