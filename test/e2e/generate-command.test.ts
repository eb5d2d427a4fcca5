import { createHash } from 'node:crypto';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { runCommand } from '../support/command-line.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Every command is a process of its own.
vi.setConfig({ testTimeout: 60_000 });

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

describe('darkroom generate', () => {
  const client = () => ({ DARKROOM_URL: service.url, DARKROOM_API_KEY: testKeys.acme });

  it('writes the pictures it ordered, and says what they cost', async () => {
    const cwd = await temporaryFolder();
    const args = [
      'generate',
      'A fox in the snow',
      '--size',
      '1536x1024',
      '--n',
      '2',
      '--wait',
      '--out',
      'fox.png',
    ];
    const { code, stdout, stderr } = await runCommand(args, { cwd, env: client() });

    expect(code, stderr).toBe(0);
    const [, id = ''] = /^(img_\S+) succeeded, cost 0\.\d+ USD, billing charged\n$/.exec(stdout) ?? [];
    expect(stderr).toMatch(new RegExp(`^${id} is accepted; --idempotency-key \\S+ takes it up again\n`));
    const job = await service.acme.job(id);
    for (const [index, name] of ['fox.png', 'fox-1.png'].entries()) {
      const bytes = await readFile(join(cwd, name));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(job.images[index]?.sha256);
      expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width: 1536, height: 1024 });
    }
  });

  it('takes the prompt from standard input, and ends with 1 and the reason when the job fails', async () => {
    const { code, stdout } = await runCommand(['generate', '--wait'], {
      cwd: await temporaryFolder(),
      env: client(),
      input: '从标准输入 [studio:moderation=violence]\n',
    });
    expect(code).toBe(1);
    const [, id = ''] =
      /^(img_\S+) failed, cost 0\.000000 USD, billing none\nmoderation_blocked: /.exec(stdout) ?? [];
    expect((await service.acme.job(id)).prompt.original).toBe('从标准输入 [studio:moderation=violence]');
  });

  it.runIf(process.platform === 'linux')(
    'shows stage and seconds on a terminal, and clears them at the end',
    async () => {
      const { code, stdout } = await runCommand(
        ['generate', 'A fox that takes its time [studio:latency=2500]', '--wait'],
        { cwd: await temporaryFolder(), env: client(), terminal: true },
      );
      expect(code, stdout).toBe(0);
      const clear = '\\r\\u001b\\[K';
      expect(stdout).toMatch(new RegExp(`${clear}generating \\d+ s`));
      expect(stdout).toMatch(new RegExp(`${clear}img_\\S+ succeeded, cost `));
    },
  );

  it('finds the service by a .env file and its key in a mounted one', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, '.env'), `DARKROOM_URL=${service.url}\nDARKROOM_API_KEY_FILE=key\n`);
    await writeFile(join(cwd, 'key'), `${testKeys.acme}\n`);
    const { code, stdout, stderr } = await runCommand(['generate', 'A fox', '--json'], { cwd });
    expect(code, stderr).toBe(0);
    expect((await service.acme.job(JSON.parse(stdout).id)).prompt.original).toBe('A fox');
  });

  it('says what is wrong with an order or with the address', async () => {
    const cwd = await temporaryFolder();
    const [order, address] = await Promise.all([
      runCommand(['generate', 'A fox', '--size', '10x10'], { cwd, env: client() }),
      runCommand(['generate', 'A fox'], { cwd, env: { ...client(), DARKROOM_URL: 'http://127.0.0.1:1' } }),
    ]);
    expect([order, address].map((result) => result?.code)).toEqual([1, 1]);
    expect(order?.stderr).toMatch(/validation_failed.*\n.*\/size/s);
    expect(address?.stderr).toContain('http://127.0.0.1:1');
  });
});

describe('darkroom generate behind a network that fails', () => {
  /** A way to the service that can be broken, and the variables that take it. */
  async function brokenWay() {
    const proxy = await startFaultProxy(Number(new URL(service.url).port));
    onTestFinished(proxy.close);
    const env = { DARKROOM_URL: `http://127.0.0.1:${proxy.port}`, DARKROOM_API_KEY: testKeys.acme };
    return { proxy, env, cwd: await temporaryFolder() };
  }
  const jobsWith = async (prompt: string) => {
    const { body } = await service.acme.get('/images').expect(200);
    return body.data.filter((job: { prompt: { original: string } }) => job.prompt.original === prompt);
  };

  it('orders once although the answer to its order is lost, and gets its picture', async () => {
    const { proxy, env, cwd } = await brokenWay();
    await proxy.set({ kind: 'cut', afterBytes: 20 });
    const prompt = 'An order whose answer is lost';
    const command = runCommand(['generate', prompt, '--out', 'fox.png'], { cwd, env });
    await vi.waitFor(async () => expect(await jobsWith(prompt)).toHaveLength(1), { timeout: 30_000 });
    await proxy.set({ kind: 'pass' });

    const { code, stderr } = await command;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('trying again');
    const [job, ...others] = await jobsWith(prompt);
    expect(others).toEqual([]);
    const bytes = await readFile(join(cwd, 'fox.png'));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(job.images[0].sha256);
  });

  it('takes up a stream that is cut, as proxies cut what is long', async () => {
    const { proxy, env, cwd } = await brokenWay();
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

  it('says how to go on when it breaks off, and the same command with that key pays nothing again', async () => {
    const { env, cwd } = await brokenWay();
    const prompt = 'A disk that fails';
    const args = ['generate', prompt, '--n', '2', '--out', 'fox.png'];
    // The second picture goes to a file of this name.
    await mkdir(join(cwd, 'fox-1.png'));
    const broken = await runCommand(args, { cwd, env });
    expect(broken.code).toBe(1);
    const [, id, key = ''] = /(img_\S+) is accepted.*--idempotency-key (\S+)/.exec(broken.stderr) ?? [];
    await rmdir(join(cwd, 'fox-1.png'));

    const again = await runCommand([...args, '--idempotency-key', key], { cwd, env });
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain(`${id} succeeded`);
    expect((await readFile(join(cwd, 'fox-1.png'))).length).toBeGreaterThan(0);
    expect(await jobsWith(prompt)).toHaveLength(1);
  });

  it('orders nothing when it could not write the picture', async () => {
    const { env, cwd } = await brokenWay();
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
