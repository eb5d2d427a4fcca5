import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventTypes } from '../../src/domain/webhook-event.ts';
import { runClientCommand } from '../support/client-command.ts';
import { runCommand } from '../support/command-line.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { readApiDocument } from '../support/openapi-document.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';
import { compiledProgram, endOf, systemEnvironment } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const secret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Starts the server of a developer, which records what it receives. */
async function startReceiver(status = 204): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      received.push({ headers: request.headers as Record<string, string>, body });
      response.writeHead(status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`, received };
}

/** Starts `darkroom webhooks listen --forward-to` and resolves when it is ready. */
async function forward(serviceUrl: string, target: string, ...options: string[]) {
  const args = ['webhooks', 'listen', '--forward-to', target, ...options];
  const child = spawn(process.execPath, [compiledProgram('main'), ...args], {
    cwd: await temporaryFolder(),
    env: { ...systemEnvironment(), DARKROOM_URL: serviceUrl, DARKROOM_API_KEY: testKeys.acme },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = endOf(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines: string[] = [];
  const errors: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  createInterface(child.stderr).on('line', (line) => errors.push(line));
  const says = (text: string) =>
    vi.waitFor(() => expect(errors.join('\n')).toContain(text), { timeout: 30_000 });
  await says('Ready.');
  return {
    lines,
    says,
    secret: /whsec_[A-Za-z0-9+/=]+/.exec(errors.join('\n'))?.[0] ?? '',
    async stop() {
      child.kill('SIGINT');
      return ended;
    },
  };
}

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

const count = (list: readonly unknown[], expected: number) =>
  vi.waitFor(() => expect(list).toHaveLength(expected), { timeout: 20_000 });
const verified = ({ headers, body }: Received, key: string) =>
  new Webhook(key).verify(body, headers) as { type: string; data: { id: string; status: string } };

describe('darkroom webhooks listen --forward-to', () => {
  it('webhooks listen --forward-to posts the signed events of every job in order, with the ids of the real webhooks', async () => {
    const receiver = await startReceiver();
    const listener = await forward(service.url, receiver.url);
    const job = await service.acme.generate({ prompt: 'Forwarded' });
    await count(receiver.received, 3);
    await count(listener.lines, 3);

    expect(listener.secret).toMatch(/^whsec_/);
    const events = receiver.received.map((each) => verified(each, listener.secret));
    expect(events.map(({ type, data }) => [type, data.id])).toEqual([
      ['image.queued', job.id],
      ['image.started', job.id],
      ['image.succeeded', job.id],
    ]);
    expect(events.at(-1)?.data).toMatchObject({ status: 'succeeded', images: [{ index: 0 }] });
    const eventId = `evt_${job.id.slice('img_'.length)}_succeeded`;
    expect(receiver.received.at(-1)?.headers['webhook-id']).toBe(eventId);
    expect(listener.lines.at(-1)).toMatch(
      new RegExp(`Z {2}image\\.succeeded {2}${job.id} {2}${eventId} {2}204 {2}\\d+ ms$`),
    );
    expect(await listener.stop()).toEqual({ code: 0, signal: null });
  });

  it('webhooks listen --forward-to posts events that happened while the connection was cut, each once', async () => {
    const receiver = await startReceiver();
    const proxy = await startFaultProxy(Number(new URL(service.url).port));
    onTestFinished(proxy.close);
    const options = ['--events', 'image.succeeded,image.failed', '--secret', secret, '--json'];
    const listener = await forward(`http://127.0.0.1:${proxy.port}`, receiver.url, ...options);
    expect(listener.secret).toBe(secret);
    // Cut before the first event, so that the position of the start of the stream is needed.
    await proxy.set({ kind: 'reset' });
    await listener.says('Reconnecting');
    const missed = await service.acme.generate({ prompt: 'Missed' });
    await proxy.set({ kind: 'pass' });
    await listener.says('is open again');
    const failed = await service.acme.generate({ prompt: 'Refused [studio:bad-request]' });
    await count(listener.lines, 2);

    const ids = receiver.received.map((each) => verified(each, secret).data.id);
    expect(ids).toEqual([missed.id, failed.id]);
    expect(JSON.parse(listener.lines[1] ?? '')).toEqual({
      id: receiver.received[1]?.headers['webhook-id'],
      type: 'image.failed',
      image_id: failed.id,
      at: expect.stringMatching(/Z$/),
      status: 204,
      latency_ms: expect.any(Number),
      error: null,
    });
    await listener.stop();
  });

  it('webhooks listen --forward-to prints failed posts and continues, and exits with 1 if the key is refused', async () => {
    const receiver = await startReceiver(500);
    const listener = await forward(service.url, receiver.url, '--events', 'image.succeeded');
    await service.acme.generate({ prompt: 'Not processed' });
    await count(listener.lines, 1);
    expect(listener.lines[0]).toMatch(/500 {2}\d+ ms$/);
    await listener.stop();

    const closed = await forward(service.url, 'http://127.0.0.1:1/hooks', '--events', 'image.succeeded');
    await service.acme.generate({ prompt: 'No server' });
    await count(closed.lines, 1);
    expect(closed.lines[0]).toContain('FAILED: ');
    await closed.stop();

    const refused = await runCommand(['webhooks', 'listen', '--forward-to', receiver.url], {
      cwd: service.dataDir,
      env: { DARKROOM_URL: service.url, DARKROOM_API_KEY: 'dkr_unknown' },
    });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('unauthorized')]);
  });
});

describe('darkroom webhooks trigger', () => {
  const run = (...args: string[]) =>
    runClientCommand(['webhooks', 'trigger', ...args], { url: service.url, apiKey: testKeys.acme });

  it('webhooks trigger sends a signed sample of every event type that matches the OpenAPI document', async () => {
    const api = readApiDocument();
    const schemas = (api.document.components as Record<string, Record<string, object>>).schemas ?? {};
    const validate = api.validator(schemas.WebhookEvent as Record<string, unknown>);
    const receiver = await startReceiver();
    for (const type of eventTypes) {
      const { code } = await run(type, '--to', receiver.url, '--secret', secret);
      expect(code, type).toBe(0);
    }
    const events = receiver.received.map((each) => verified(each, secret));
    expect(events.map(({ type }) => type).sort()).toEqual([...eventTypes].sort());
    for (const event of events) expect([validate(event), validate.errors]).toEqual([true, null]);
    for (const { type, data } of events.filter(({ type }) => type.startsWith('image.'))) {
      expect(type).toBe(data.status === 'running' ? 'image.started' : `image.${data.status}`);
    }
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(events.length);
  });

  it('webhooks trigger prints a new secret if none is passed, and exits with 1 if the response is not 2xx', async () => {
    const receiver = await startReceiver(500);
    const args = ['webhooks', 'trigger', 'image.failed', '--to', receiver.url, '--json'];
    const { code, stdout, stderr } = await runCommand(args, { cwd: service.dataDir });
    const printed = /Signing secret: (whsec_\S+)/.exec(stderr)?.[1] ?? '';
    const [message] = receiver.received;
    if (!message) throw new Error('nothing was received');
    expect(verified(message, printed)).toMatchObject({ type: 'image.failed', data: { livemode: false } });
    expect(JSON.parse(stdout)).toMatchObject({ id: message.headers['webhook-id'], status: 500 });
    expect(code).toBe(1);
  });

  it('webhooks trigger refuses unknown types, invalid secrets and missing targets without sending', async () => {
    const receiver = await startReceiver();
    for (const args of [
      ['image.drawn', '--to', receiver.url],
      ['image.failed'],
      ['image.failed', '--to', 'ftp://example.com'],
      ['image.failed', '--to', receiver.url, '--secret', 'whsec_short'],
      ['image.failed', '--endpoint', 'whk_1'],
      ['webhook.test', '--endpoint', 'whk_1'],
    ]) {
      const { code, stderr } = await run(...args);
      expect([code, stderr.includes('\n    at '), stderr.length > 0], args.join(' ')).toEqual([
        1,
        false,
        true,
      ]);
    }
    expect(receiver.received).toEqual([]);
  });
});
