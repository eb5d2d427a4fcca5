import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { imageJobExample } from '../../src/inbound/http/examples.ts';
import { runCommand } from '../support/command-line.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { respondWith, type Script, type ScriptedServer, serve } from '../support/scripted-server.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';
import { compiledProgram, endOf, systemEnvironment } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Every command is a separate process.
vi.setConfig({ testTimeout: 60_000 });

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

describe('darkroom generate over a failing network', () => {
  /** Starts a proxy that can break connections to the service. Returns it with the variables of a client. */
  async function faultyNetwork() {
    const proxy = await startFaultProxy(Number(new URL(service.url).port));
    onTestFinished(proxy.close);
    const env = { DARKROOM_URL: `http://127.0.0.1:${proxy.port}`, DARKROOM_API_KEY: testKeys.acme };
    return { proxy, env, cwd: await temporaryFolder() };
  }
  const jobsWith = async (prompt: string) => {
    const { body } = await service.acme.get('/images').expect(200);
    return body.data.filter((job: { prompt: { original: string } }) => job.prompt.original === prompt);
  };

  it('generate submits one job and saves its image although the first response is lost', async () => {
    const { proxy, env, cwd } = await faultyNetwork();
    await proxy.set({ kind: 'cut', afterBytes: 20 });
    const prompt = 'A request whose response is lost';
    const command = runCommand(['generate', prompt, '--out', 'fox.png'], { cwd, env });
    await vi.waitFor(async () => expect(await jobsWith(prompt)).toHaveLength(1), { timeout: 30_000 });
    await proxy.set({ kind: 'pass' });

    const { code, stderr } = await command;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('Retrying');
    const [job, ...others] = await jobsWith(prompt);
    expect(others).toEqual([]);
    const bytes = await readFile(join(cwd, 'fox.png'));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(job.images[0].sha256);
  });

  it('generate resumes an event stream that a proxy cut', async () => {
    const { proxy, env, cwd } = await faultyNetwork();
    const prompt = 'Longer than its stream [studio:latency=3000]';
    const command = runCommand(['generate', prompt, '--out', 'fox.png'], { cwd, env });
    await vi.waitFor(async () => expect((await jobsWith(prompt))[0]?.stage).toBe('generating'), {
      timeout: 30_000,
    });
    const before = proxy.accepted();
    await proxy.set({ kind: 'reset' });
    await proxy.set({ kind: 'pass' });

    const { code, stdout, stderr } = await command;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(' succeeded, ');
    expect(proxy.accepted()).toBeGreaterThan(before);
    expect((await readFile(join(cwd, 'fox.png'))).length).toBeGreaterThan(0);
  });

  it('generate prints its Idempotency-Key if it fails, and the same command with the key pays nothing again', async () => {
    const { env, cwd } = await faultyNetwork();
    const prompt = 'A disk that fails [studio:latency=1000]';
    const folder = join(cwd, 'images');
    await mkdir(folder);
    const args = ['generate', prompt, '--n', '2', '--out', 'images/fox.png'];
    const command = runCommand(args, { cwd, env });
    await vi.waitFor(async () => expect(await jobsWith(prompt)).toHaveLength(1), { timeout: 30_000 });
    await rmdir(folder);
    const broken = await command;
    expect(broken.code).toBe(1);
    const [, id, key = ''] = /(img_\S+) is accepted.*--idempotency-key (\S+)/.exec(broken.stderr) ?? [];
    await mkdir(folder);

    const again = await runCommand([...args, '--idempotency-key', key], { cwd, env });
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain(`${id} succeeded`);
    expect((await readFile(join(folder, 'fox-1.png'))).length).toBeGreaterThan(0);
    expect(await jobsWith(prompt)).toHaveLength(1);
  });

  it('generate submits nothing if --out cannot be written', async () => {
    const { env, cwd } = await faultyNetwork();
    const prompt = 'Nowhere to be put';
    const results = await Promise.all(
      ['no/such/folder/fox.png', '.'].map((out) =>
        runCommand(['generate', prompt, '--out', out], { cwd, env }),
      ),
    );
    for (const { code, stderr } of results) {
      expect(code).toBe(1);
      expect(stderr).toContain('--out');
    }
    expect(await jobsWith(prompt)).toEqual([]);
  });
});

describe('darkroom generate behind a gateway', () => {
  let child: ChildProcess | undefined;
  const reach = (server: ScriptedServer) => ({
    DARKROOM_URL: server.url,
    DARKROOM_API_KEY: 'key-for-tests',
  });
  const generate = async (server: ScriptedServer, ...options: string[]) =>
    runCommand(['generate', 'A fox', ...options], { cwd: await temporaryFolder(), env: reach(server) });
  const accepted: Script = respondWith(202, { ...imageJobExample, images: [], status: 'queued' });
  const keysOf = ({ seen }: ScriptedServer) => seen.map(({ headers }) => headers['idempotency-key']);

  it('generate repeats a request of unknown outcome with the same Idempotency-Key', async () => {
    const gateway = respondWith(524, '<html>', { 'content-type': 'text/html' });
    const server = await serve((response, request, index) =>
      (index === 0 ? gateway : accepted)(response, request, index),
    );
    const { code, stderr } = await generate(server);
    expect(code, stderr).toBe(0);
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(
      Array(2).fill('POST /v1/images'),
    );
    const [key, again] = keysOf(server);
    expect(again).toBe(key);
  });

  it.each([
    ['a malformed response', respondWith(202, '{"id":"img_')],
    ['Ctrl-C before the response', () => process.kill(child?.pid ?? 0, 'SIGINT')],
  ])('generate prints its Idempotency-Key after %s', async (_what, script) => {
    const server = await serve(script as Script);
    child = spawn(process.execPath, [compiledProgram('main'), 'generate', 'A fox'], {
      cwd: await temporaryFolder(),
      env: { ...systemEnvironment(), ...reach(server) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [stderr, end] = await Promise.all([text(child.stderr as Readable), endOf(child)]);
    expect(end.code).toBeGreaterThan(0);
    expect(stderr).toContain(`--idempotency-key ${keysOf(server)[0]}`);
    expect(stderr).not.toContain('JSON at position');
  });

  it('generate resumes a stream with the id of the last event', async () => {
    const event = (no: number, data: object) =>
      `id: ${no}\nevent: image.progress\ndata: ${JSON.stringify(data)}\n\n`;
    const running = respondWith(200, { ...imageJobExample, images: [], status: 'running' });
    let streams = 0;
    const server = await serve((response, request, index) => {
      if (request.method === 'POST') return accepted(response, request, index);
      if (!request.path.endsWith('/events')) return running(response, request, index);
      streams += 1;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (streams === 1) response.write(event(2, { status: 'running' }), () => response.destroy());
      else response.end(event(3, { status: 'succeeded', job: imageJobExample }));
    });
    const { code, stdout } = await generate(server, '--wait');
    expect(code).toBe(0);
    expect(stdout).toContain(' succeeded, ');
    const opened = server.seen.filter(({ path }) => path.endsWith('/events'));
    expect(opened.map(({ headers }) => headers['last-event-id'])).toEqual(['0', '2']);
  });

  it('generate polls the job if the event stream is refused', async () => {
    const ended = respondWith(200, imageJobExample);
    const refused = respondWith(429, { code: 'too_many_requests', retryable: true });
    const server = await serve((response, request, index) => {
      const script =
        request.method === 'POST' ? accepted : request.path.endsWith('/events') ? refused : ended;
      script(response, request, index);
    });
    const { code, stdout } = await generate(server, '--wait');
    expect(code).toBe(0);
    expect(stdout).toContain(' succeeded, ');
    expect(server.seen).toHaveLength(3);
  });

  it('generate writes the first existing image to --out and reports the missing image', async () => {
    const cwd = await temporaryFolder();
    const bytes = Buffer.from('image');
    const stored = {
      size_bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
    const job = (server: ScriptedServer) => ({
      ...imageJobExample,
      partial: true,
      images: [{ ...imageJobExample.images[0], ...stored, index: 1, url: `${server.url}/bytes` }],
      image_errors: [{ index: 0, code: 'moderation_blocked', message: 'Refused for its content.' }],
    });
    const server: ScriptedServer = await serve((response, request, index) => {
      if (request.method === 'POST') return accepted(response, request, index);
      if (request.path.endsWith('/bytes')) return response.end(bytes);
      if (request.path.endsWith('/events')) return response.writeHead(204).end();
      respondWith(200, job(server))(response, request, index);
    });
    const { code, stderr } = await runCommand(['generate', 'A fox', '--n', '2', '--out', 'fox.png'], {
      cwd,
      env: reach(server),
    });
    expect(code, stderr).toBe(0);
    expect(await readdir(cwd)).toEqual(['fox.png']);
    expect(stderr).toContain('An image is missing: Refused for its content.');
  });

  it('generate does not follow a redirect and prints its target', async () => {
    const server = await serve(respondWith(301, '', { location: 'https://there.example/images' }));
    const { code, stderr } = await generate(server);
    expect(code).toBe(1);
    expect(stderr).toContain('https://there.example/images');
    expect(server.seen).toHaveLength(1);
  });
});

it('generate reads a prompt of 32,000 characters from standard input', async () => {
  // Longer than the buffer of a pipe, so that characters are split between chunks.
  const prompt = 'あ'.repeat(32_000);
  const { code, stdout, stderr } = await runCommand(['generate', '--json'], {
    cwd: await temporaryFolder(),
    env: { DARKROOM_URL: service.url, DARKROOM_API_KEY: testKeys.acme },
    input: prompt,
  });
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout).prompt.original === prompt).toBe(true);
});
