import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ApiError, ConnectionError, Darkroom, JobEndedError } from '../../../clients/typescript/src/index.ts';
import { AppError, errorCodes, errorRow } from '../../../src/domain/errors.ts';
import { problemHeaders, problemOf } from '../../../src/inbound/http/problem.ts';
import { manageKeysOf } from '../../support/managed-keys.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

let service: TestService;
let darkroom: Darkroom;
beforeAll(async () => {
  service = await startService();
  darkroom = new Darkroom({ apiKey: testKeys.acme, baseUrl: service.url });
  return service.close;
});

const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

/** Starts a server with the responses, in order; the last one is repeated. */
async function respondWith(
  ...responses: { status: number; headers: Record<string, string>; body: string }[]
) {
  const requests: { method: string | undefined; key: unknown }[] = [];
  const server = createServer((request, response) => {
    const next = responses[Math.min(requests.length, responses.length - 1)];
    requests.push({ method: request.method, key: request.headers['idempotency-key'] });
    request.resume().on('end', () => response.writeHead(next?.status ?? 500, next?.headers).end(next?.body));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const refusal = (code: (typeof errorCodes)[number], retryAfterSeconds?: number) => {
  const error = new AppError(code, { ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });
  return {
    status: errorRow(code).status,
    headers: problemHeaders(error, 'req_1'),
    body: JSON.stringify(problemOf(error, { instance: '/images', requestId: 'req_1' })),
  };
};

describe('errors of the TypeScript client', () => {
  it.each(errorCodes)('a response with the code %s rejects with an ApiError of that code', async (code) => {
    const { url } = await respondWith(refusal(code));
    const client = new Darkroom({ apiKey: 'key', baseUrl: url, retryForMs: 0 });
    const error = await errorOf(client.generate({ prompt: 'A fox' }, { idempotencyKey: 'k' }));
    expect(error).toBeInstanceOf(ApiError);
    const { status, retryable } = errorRow(code);
    expect(error).toMatchObject({ code, status, retryable, requestId: 'req_1', idempotencyKey: 'k' });
  });

  it('the service refuses a key, a field, a budget and an unknown job with typed errors', async () => {
    const keys = manageKeysOf(service.url);
    const made = await keys.create({ tenant: 'poor', budgets: [{ window: 'day', limit_micro_usd: 1 }] });
    const poor = new Darkroom({ apiKey: made.key, baseUrl: service.url });
    const stranger = new Darkroom({ apiKey: 'unknown', baseUrl: service.url });
    expect(await errorOf(stranger.get('img_1'))).toMatchObject({ code: 'unauthorized', status: 401 });
    expect(await errorOf(darkroom.get('img_1'))).toMatchObject({ code: 'not_found' });
    const invalid = await errorOf(darkroom.generate({ prompt: 'A fox', size: '1x1' }));
    expect(invalid).toMatchObject({ code: 'validation_failed', issues: [{ pointer: '/size' }] });
    const exceeded = await errorOf(poor.generate({ prompt: 'A fox' }));
    if (!(exceeded instanceof ApiError) || exceeded.code !== 'budget_exceeded') throw exceeded;
    expect(exceeded.problem.budget).toMatchObject({ window: 'day', limit_micro_usd: 1 });
  });

  it('a failed job rejects with the code, the billing and the job', async () => {
    const error = await errorOf(darkroom.generate({ prompt: 'Refused [studio:moderation=violence]' }));
    if (!(error instanceof JobEndedError)) throw error;
    expect(error).toMatchObject({ code: 'moderation_blocked', billing: 'none', jobId: error.job.id });
    expect(error.idempotencyKey).toMatch(/^[0-9a-f]{32}$/);
  });

  it('a refused call is repeated after Retry-After with the same idempotency key', async () => {
    const { url, requests } = await respondWith(refusal('too_many_requests', 1), refusal('queue_full', 0), {
      ...refusal('validation_failed'),
    });
    const delays: number[] = [];
    const onRetry = ({ delayMs }: { delayMs: number }) => delays.push(delayMs);
    const client = new Darkroom({ apiKey: 'key', baseUrl: url, onRetry });
    expect(await errorOf(client.generate({ prompt: 'A fox' }))).toMatchObject({ code: 'validation_failed' });
    expect(new Set(requests.map(({ key }) => key)).size).toBe(1);
    expect(requests).toHaveLength(3);
    expect(delays[0]).toBeGreaterThanOrEqual(1_000);
  });

  it('an error page of a proxy is retried, and a redirect is not followed by a POST', async () => {
    const headers = { 'content-type': 'text/html' };
    const page = { status: 502, headers, body: '<h1>Bad gateway</h1>' };
    const moved = { status: 301, headers: { location: 'https://other.example/images' }, body: '' };
    const { url, requests } = await respondWith(page, moved);
    const client = new Darkroom({ apiKey: 'key', baseUrl: url });
    const error = await errorOf(client.generate({ prompt: 'A fox' }));
    expect(error).toMatchObject({ code: 'unexpected_response', status: 301 });
    expect((error as Error).message).toContain('https://other.example/images');
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'POST']);
  });

  it('a response that a proxy damaged rejects with an unexpected response and the key of the request', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const { url, requests } = await respondWith({ status: 202, headers, body: '{"id":"img_' });
    const client = new Darkroom({ apiKey: 'key', baseUrl: url });
    for (const make of [
      () => client.generate({ prompt: 'A fox' }, { idempotencyKey: 'k' }),
      () => client.edit({ prompt: 'A fox', images: new Blob(['a file']) }, { idempotencyKey: 'k' }),
    ]) {
      expect(await errorOf(make())).toMatchObject({
        code: 'unexpected_response',
        status: 202,
        message: 'The server sent a damaged response.',
        idempotencyKey: 'k',
      });
    }
    expect(requests).toHaveLength(2);
  });

  it('an unreachable service and a service that stays silent reject with a ConnectionError', async () => {
    const closed = new Darkroom({ apiKey: 'key', baseUrl: 'http://127.0.0.1:1', retryForMs: 0 });
    expect(await errorOf(closed.get('img_1'))).toBeInstanceOf(ConnectionError);
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    onTestFinished(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const baseUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const waiting = new Darkroom({ apiKey: 'key', baseUrl, timeoutMs: 50, retryForMs: 0 });
    expect(await errorOf(waiting.get('img_1'))).toMatchObject({ code: 'connection_failed' });
  });
});
