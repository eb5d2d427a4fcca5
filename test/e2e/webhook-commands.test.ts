import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { EndpointView } from '../../src/domain/webhook-view.ts';
import { runClientCommand } from '../support/client-command.ts';
import { runCommand } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';
import { compiledProgram, endOf, systemEnvironment } from '../support/service-process.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_SCHEDULE_S: '0' });
  return service.close;
});

const reach = () => ({ DARKROOM_URL: service.url, DARKROOM_API_KEY: testKeys.acme });

/** Starts `darkroom webhooks listen` and resolves when it listens. */
async function listen(...options: string[]) {
  const child = spawn(process.execPath, [compiledProgram('main'), 'webhooks', 'listen', ...options], {
    cwd: service.dataDir,
    env: { ...systemEnvironment(), ...reach() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = endOf(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  const errors: string[] = [];
  createInterface(child.stderr).on('line', (line) => errors.push(line));
  await vi.waitFor(() => expect(errors.join('\n')).toContain('Listening on'), { timeout: 30_000 });
  return {
    lines,
    url: /http:\S+\//.exec(errors.join('\n'))?.[0] ?? '',
    stop: (signal: NodeJS.Signals = 'SIGINT') => child.kill(signal),
    ended,
  };
}

const endpoints = async (): Promise<EndpointView[]> =>
  (await service.acme.get('/webhooks/endpoints').expect(200)).body.data;
const hasLines = (lines: readonly string[], count: number) =>
  vi.waitFor(() => expect(lines.length).toBeGreaterThanOrEqual(count), { timeout: 15_000 });

describe('darkroom webhooks', () => {
  it('webhooks listen prints each event with its verification and removes its endpoint at the end', async () => {
    const listener = await listen('--events', 'image.queued,image.succeeded');
    expect((await endpoints()).map(({ url, events }) => [url, events])).toEqual([
      [listener.url, ['image.queued', 'image.succeeded']],
    ]);
    const job = await service.acme.generate({ prompt: 'Printed' });
    await hasLines(listener.lines, 2);
    await fetch(listener.url, { method: 'POST', body: '{"type":"image.succeeded"}' });
    await hasLines(listener.lines, 3);
    const forgedLine = JSON.stringify({ type: 'x\nimage.queued  img_1  genuine\n\u001b[1A\u009b2K' });
    await fetch(listener.url, { method: 'POST', body: forgedLine });
    await hasLines(listener.lines, 4);
    listener.stop();
    expect(await listener.ended).toEqual({ code: 0, signal: null });
    const [queued, succeeded, forged, escaped, ...others] = [...listener.lines].sort((a, b) =>
      a.localeCompare(b),
    );
    expect(queued).toMatch(new RegExp(`image\\.queued {2}${job.id} {2}queued {2}evt_\\S+ {2}genuine$`));
    expect(succeeded).toMatch(
      new RegExp(`image\\.succeeded {2}${job.id} {2}succeeded {2}evt_\\S+ {2}genuine$`),
    );
    expect(forged).toMatch(/^image\.succeeded {2}NOT GENUINE: a webhook- header/);
    expect(escaped).toMatch(/^x image\.queued {2}img_1 {2}genuine \ufffd\[1A\ufffd2K {2}NOT GENUINE: /);
    expect(others).toEqual([]);
    expect(await endpoints()).toEqual([]);
  });

  it('webhooks replay resends one delivery or all missed deliveries of an endpoint', async () => {
    const since = new Date().toISOString();
    const listener = await listen('--json', '--answer', '500', '--events', 'image.failed');
    await service.acme.generate({ prompt: 'Missed [studio:bad-request]' });
    await hasLines(listener.lines, 1);
    const [endpoint] = await endpoints();
    const failed = async () =>
      (await service.acme.get(`/webhooks/deliveries?endpoint_id=${endpoint?.id}&status=failed`).expect(200))
        .body.data;
    await eventually(async () => expect(await failed()).toHaveLength(1));
    const [delivery] = await failed();
    const run = (...args: string[]) =>
      runClientCommand(['webhooks', 'replay', ...args], { url: service.url, apiKey: testKeys.acme });

    const replayed = ['webhooks', 'replay', delivery.id];
    expect(await runCommand(replayed, { cwd: service.dataDir, env: reach() })).toMatchObject({
      code: 0,
      stdout: `${delivery.id} will be redelivered to ${listener.url}\n`,
    });
    await hasLines(listener.lines, 2);
    await eventually(async () => expect(await failed()).toHaveLength(1));
    const all = await run('--endpoint', endpoint?.id ?? '', '--since', since, '--json');
    expect([all.code, JSON.parse(all.stdout).deliveries]).toEqual([0, 1]);
    await hasLines(listener.lines, 3);
    const ids = listener.lines.map((line) => JSON.parse(line) as { id: string; genuine: boolean });
    expect(ids.map(({ genuine }) => genuine)).toEqual([true, true, true]);
    expect(new Set(ids.map(({ id }) => id)).size).toBe(1);

    for (const args of [[], ['--endpoint', 'whk_1'], ['dlv_none']]) {
      const { code, stderr } = await run(...args);
      expect([code, stderr.includes('\n    at ')], args.join(' ')).toEqual([1, false]);
    }
  });

  it('webhooks trigger lets the service send webhook.test to a registered endpoint', async () => {
    const listener = await listen();
    const endpoint = (await endpoints()).find(({ url }) => url === listener.url);
    const args = ['webhooks', 'trigger', 'webhook.test', '--endpoint', endpoint?.id ?? ''];
    const { code, stdout } = await runCommand(args, { cwd: service.dataDir, env: reach() });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^webhook\.test {2}evt_.* {2}delivered$/m)]);
    await hasLines(listener.lines, 1);
    expect(listener.lines[0]).toMatch(/webhook\.test .*genuine$/);
  });

  it('webhooks listen exits with 1 if it cannot register or the status is invalid', async () => {
    const run = (...args: string[]) =>
      runCommand(['webhooks', 'listen', ...args], {
        cwd: service.dataDir,
        env: { ...reach(), DARKROOM_API_KEY: 'dkr_unknown' },
      });
    const results = await Promise.all([run(), run('--answer', '600')]);
    for (const { code } of results) expect(code).toBe(1);
    expect(results[0]?.stderr).toContain('unauthorized');
  });

  it('webhooks listen exits with 0 although its endpoint was already removed', async () => {
    const listener = await listen();
    const endpoint = (await endpoints()).find(({ url }) => url === listener.url);
    await service.acme.delete(`/webhooks/endpoints/${endpoint?.id}`).expect(204);
    listener.stop();
    expect(await listener.ended).toEqual({ code: 0, signal: null });
  });

  it('webhooks listen removes the endpoint of a listener of this machine that was killed, and no other', async () => {
    const own = async () => (await endpoints()).map(({ url }) => url).toSorted();
    const before = await own();
    const alive = await listen();
    const killed = await listen();
    killed.stop('SIGKILL');
    await killed.ended;
    const body = { url: killed.url.replace(/\/$/, '/other'), events: ['*'] };
    const other = await service.acme.post('/webhooks/endpoints').send(body).expect(201);
    const next = await listen();
    expect(await own()).toEqual([...before, alive.url, body.url, next.url].toSorted());
    next.stop('SIGHUP');
    expect(await next.ended).toEqual({ code: 0, signal: null });
    alive.stop();
    await alive.ended;
    await service.acme.delete(`/webhooks/endpoints/${other.body.id}`).expect(204);
  });

  it('webhooks listen names a port that is in use, without a stack trace', async () => {
    const listener = await listen();
    const { port } = new URL(listener.url);
    const { code, stderr } = await runCommand(['webhooks', 'listen', '--port', port], {
      cwd: service.dataDir,
      env: reach(),
    });
    expect([code, stderr]).toEqual([
      1,
      `Cannot listen on 127.0.0.1:${port}: another program uses this port. Stop it, or set --port to a free port.\n`,
    ]);
    listener.stop();
    await listener.ended;
  });
});
