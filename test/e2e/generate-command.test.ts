import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../support/command-line.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Every command is a separate process.
vi.setConfig({ testTimeout: 60_000 });

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

describe('darkroom generate', () => {
  const client = () => ({ DARKROOM_URL: service.url, DARKROOM_API_KEY: testKeys.acme });

  it('generate writes all images of a job and prints the cost', async () => {
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
    const job = await service.acme.job(id);
    for (const [index, name] of ['fox.png', 'fox-1.png'].entries()) {
      const bytes = await readFile(join(cwd, name));
      const { sha256 } = job.images.find((image) => image.index === index) ?? {};
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
      expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width: 1536, height: 1024 });
    }
    // A caller of two images wants a choice, so offline images differ too.
    expect(new Set(job.images.map((image) => image.sha256)).size).toBe(2);
  });

  it('generate --metadata labels the job, and --max-cost-micro-usd refuses a dearer one before it exists', async () => {
    const run = (...args: string[]) =>
      runCommand(['generate', 'Labeled by the command', ...args, '--json'], {
        cwd: service.dataDir,
        env: client(),
      });
    const made = await run(
      '--metadata',
      'order=4711',
      '--metadata',
      'note=a=b',
      '--max-cost-micro-usd',
      '1000000',
    );
    expect(JSON.parse(made.stdout).metadata).toEqual({ order: '4711', note: 'a=b' });
    const dear = await run('--max-cost-micro-usd', '1');
    expect([dear.code, dear.stdout]).toEqual([1, '']);
    expect(dear.stderr).toMatch(/^max_cost_exceeded: /);
  });

  it('generate refuses an unusable idempotency key before any call, and says so', async () => {
    const { code, stderr } = await runCommand(['generate', 'A fox', '--idempotency-key', 'a b'], {
      cwd: service.dataDir,
      env: client(),
    });
    expect(code).toBe(1);
    expect(stderr.trimEnd()).toMatch(/^error: option '--idempotency-key <key>' .* without spaces\.$/);
  });

  it('generate reads the prompt from standard input and exits with 1 and the error if the job fails', async () => {
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
    'generate shows stage and seconds on a terminal and clears them at the end',
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

  it('generate reads the address from .env and the key from a mounted file', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, '.env'), `DARKROOM_URL=${service.url}\nDARKROOM_API_KEY_FILE=key\n`);
    await writeFile(join(cwd, 'key'), `${testKeys.acme}\n`);
    const { code, stdout, stderr } = await runCommand(['generate', 'A fox', '--json'], { cwd });
    expect(code, stderr).toBe(0);
    expect((await service.acme.job(JSON.parse(stdout).id)).prompt.original).toBe('A fox');
  });

  it('generate reports the invalid field or the unreachable address', async () => {
    const cwd = await temporaryFolder();
    const [refused, unreachable] = await Promise.all([
      runCommand(['generate', 'A fox', '--size', '10x10'], { cwd, env: client() }),
      runCommand(['generate', 'A fox'], { cwd, env: { ...client(), DARKROOM_URL: 'http://127.0.0.1:1' } }),
    ]);
    expect([refused, unreachable].map((result) => result?.code)).toEqual([1, 1]);
    expect(refused?.stderr).toMatch(/validation_failed.*\n.*\/size/s);
    expect(unreachable?.stderr).toContain('http://127.0.0.1:1');
  });
});
