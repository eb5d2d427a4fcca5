import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { runClientCommand } from '../support/client-command.ts';
import { runCommand } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, testKeys } from '../support/service-environment.ts';
import { compiledProgram, endOf, systemEnvironment } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Some commands are separate processes.
vi.setConfig({ testTimeout: 60_000 });

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

const reach = () => ({ DARKROOM_URL: service.url, DARKROOM_API_KEY: testKeys.acme });
const run = (...args: string[]) => runClientCommand(args, { url: service.url, apiKey: testKeys.acme });

/** Starts a command, and returns a function that sends it a signal and returns its end. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, [compiledProgram('main'), ...args], {
    cwd: service.dataDir,
    env: { ...systemEnvironment(), ...reach() },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const output = text(child.stderr);
  return async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const [{ code }, stderr] = await Promise.all([endOf(child), output]);
    return { code, key: /--idempotency-key (\S+)/.exec(stderr)?.[1] ?? '' };
  };
}

describe('a command that is interrupted', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('generate prints its key after %s, and the key leads to the same job', async (signal, code) => {
    const prompt = `Interrupted by ${signal} [studio:latency=3000]`;
    const end = start(['generate', prompt, '--wait']);
    await eventually(() => expect(imageCalls(service.studio, prompt)).toHaveLength(1));
    const { key, ...ended } = await end(signal);
    expect(ended).toEqual({ code });
    const again = await run('generate', prompt, '--wait', '--idempotency-key', key);
    expect(again.code, again.stderr).toBe(0);
    expect(imageCalls(service.studio, prompt)).toHaveLength(1);
  });

  it('jobs retry prints its key, and the key leads to the same job', async () => {
    const prompt = 'Retried and interrupted';
    const slow = await service.acme.submit({ prompt: `${prompt} [studio:latency=3000]` });
    await eventually(() => expect(imageCalls(service.studio, prompt)).toHaveLength(1));
    await run('jobs', 'cancel', slow.id);
    await service.acme.ended(slow.id);
    const end = start(['jobs', 'retry', slow.id, '--wait']);
    await eventually(() => expect(imageCalls(service.studio, prompt)).toHaveLength(2));
    const { key, code } = await end('SIGTERM');
    expect(code).toBe(143);
    const again = await run('jobs', 'retry', slow.id, '--wait', '--idempotency-key', key);
    expect(again.code, again.stderr).toBe(0);
    expect(imageCalls(service.studio, prompt)).toHaveLength(2);
  });
});

describe('a command whose response was lost', () => {
  /** Time in which connections are refused. The command repeats its call within it. */
  const restartMs = 1_000;

  /** Starts a server that closes the connection of the first request, and refuses the others. */
  async function startLosingServer({ restarts }: { restarts: boolean }): Promise<string> {
    let isFirst = true;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        if (!isFirst) return refuse(socket);
        isFirst = false;
        if (restarts) server.close(() => setTimeout(() => server.listen(port, '127.0.0.1'), restartMs));
        socket.destroy();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${port}`;
  }
  const refuse = (socket: Socket) => {
    const body = '{"code":"tenant_suspended","detail":"Suspended.","retryable":false,"errors":[]}';
    const head = `HTTP/1.1 403 X\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}`;
    socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`);
  };

  it.each([
    ['the service restarts', true],
    ['the tenant is suspended', false],
  ])('generate prints its key if %s before the repetition', async (_, restarts) => {
    const url = await startLosingServer({ restarts });
    const { code, stderr } = await runClientCommand(['generate', 'A fox'], { url, apiKey: 'key' });
    expect(code).toBe(1);
    expect(stderr).toContain('tenant_suspended');
    expect(stderr).toMatch(/It is unknown if the job was accepted\. .* --idempotency-key \S+/);
  });
});

describe('--out', () => {
  it('submits nothing if any of its files cannot be written', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), 'a file');
    await mkdir(join(folder, 'fox-1.png'));
    const outs = ['', '-', folder, join(folder, 'none', 'a.png'), join(folder, 'file', 'a.png')];
    outs.push(join(folder, `${'a'.repeat(300)}.png`), join(folder, 'fox.png'));
    for (const out of outs) {
      const made = await run('generate', 'Nowhere to be put', '--n', '2', '--out', out);
      expect([made.code, made.stdout], out).toEqual([1, '']);
      expect(made.stderr, out).toMatch(/^--out /);
    }
    expect(imageCalls(service.studio, 'Nowhere to be put')).toEqual([]);
    expect((await readdir(folder)).toSorted()).toEqual(['file', 'fox-1.png']);
  });

  it('leaves existing files and links until the images have arrived, and says which it replaces', async () => {
    const folder = await temporaryFolder();
    const out = join(folder, 'fox.png');
    await symlink(join(folder, 'target.png'), out);
    await writeFile(join(folder, 'fox-1.png'), 'earlier');
    const failed = await run('generate', 'Fails [studio:moderation]', '--n', '2', '--out', out);
    expect(failed.code).toBe(1);
    expect(await readFile(join(folder, 'fox-1.png'), 'utf8')).toBe('earlier');
    expect((await readdir(folder)).toSorted()).toEqual(['fox-1.png', 'fox.png']);
    const made = await run('generate', 'Two', '--n', '2', '--format', 'jpeg', '--out', out);
    expect(made.code, made.stderr).toBe(0);
    expect(made.stderr).toContain('fox-1.png exists and will be replaced.');
    expect(made.stderr).toMatch(/fox\.png: \d+x\d+ image\/jpeg, .*extension of another format/);
    expect((await readFile(join(folder, 'target.png'))).subarray(0, 2).toString('hex')).toBe('ffd8');
  });
});

describe('the prompt of generate', () => {
  const generate = (input: Buffer, ...args: string[]) =>
    runCommand(['generate', ...args], { cwd: service.dataDir, env: reach(), input });

  it('is refused before any call if it is empty or not valid UTF-8', async () => {
    const before = (await service.acme.get('/images?limit=100')).body.data.length;
    const [invalid, empty] = [
      await generate(Buffer.from([0x61, 0xff, 0xfe])),
      await generate(Buffer.from(' \n')),
    ];
    expect([invalid.code, invalid.stderr]).toEqual([1, expect.stringContaining('not valid UTF-8')]);
    expect([empty.code, empty.stderr]).toEqual([1, expect.stringMatching(/^Missing prompt\./)]);
    for (const prompt of ['', '\ufffd']) expect((await run('generate', prompt)).code).toBe(1);
    expect((await service.acme.get('/images?limit=100')).body.data).toHaveLength(before);
  });

  it('is read from standard input if the argument is -', async () => {
    const { code, stdout, stderr } = await generate(Buffer.from('A fox from stdin\n'), '-', '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).prompt.original).toBe('A fox from stdin');
  });
});
