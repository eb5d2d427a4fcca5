import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { runClientCommand } from '../support/client-command.ts';
import { runCommand } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { sha256 } from '../support/images.ts';
import { manageKeysOf } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, testKeys } from '../support/service-environment.ts';
import { compiledProgram } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Some commands are separate processes.
vi.setConfig({ testTimeout: 60_000 });

let service: TestService;
beforeAll(async () => {
  service = await startService({ USAGE_METADATA_KEYS: 'order' });
  return service.close;
});

const reach = () => ({ DARKROOM_URL: service.url, DARKROOM_API_KEY: testKeys.acme });
const jobs = (...args: string[]) =>
  runClientCommand(['jobs', ...args], { url: service.url, apiKey: testKeys.acme });
/** Runs a command in a process of its own. */
const jobsProcess = (...args: string[]) =>
  runCommand(['jobs', ...args], { cwd: service.dataDir, env: reach() });

describe('darkroom jobs', () => {
  it('jobs list shows the jobs that match as a table, and as JSON', async () => {
    const labeled = await service.acme.generate({ prompt: 'A  labeled\nfox', metadata: { order: '7' } });
    await service.acme.generate({ prompt: 'Another fox' });
    const listed = await jobsProcess('list', '--metadata', 'order=7');
    expect(listed.stdout).toMatch(/^ID +STATUS +CREATED +MODEL +COST USD +PROMPT\n/);
    expect(listed.stdout.split('\n')[1]).toMatch(
      new RegExp(`^${labeled.id}  succeeded  \\S+Z  gpt-image\\S+ +0\\.\\d{6} +A labeled fox$`),
    );
    expect(listed.stdout.trimEnd().split('\n')).toHaveLength(2);
    const limited = JSON.parse((await jobs('list', '--limit', '1', '--json')).stdout);
    expect(limited.map(({ prompt }: { prompt: { original: string } }) => prompt.original)).toEqual([
      'Another fox',
    ]);
    expect(await jobs('list', '--status', 'expired')).toMatchObject({ code: 0, stdout: 'No jobs.\n' });
  });

  it('jobs get shows cost, images and attempts, and an unknown id exits with 1', async () => {
    const job = await service.acme.generate({ prompt: 'Shown' });
    const { stdout } = await jobs('get', job.id);
    expect(stdout).toMatch(new RegExp(`^${job.id} succeeded, cost 0\\.\\d+ USD, billing charged\\n`));
    expect(stdout).toMatch(/\nimage 0 {2}\d+x\d+ image\/png {2}http\S+\nattempt generate 0 {2}stored/);
    const json = JSON.parse((await jobs('get', job.id, '--json')).stdout);
    expect(json.images[0]).toMatchObject({ sha256: job.images[0]?.sha256 });
    const unknown = await jobs('get', 'img_unknown');
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/^not_found: /)]);
  });

  it('jobs cancel, retry and erase change a job, and retry --out saves the new image', async () => {
    const slow = await service.acme.submit({ prompt: 'Stopped [studio:latency=60000,times=1]' });
    await eventually(() => expect(imageCalls(service.studio, 'Stopped')).toHaveLength(1));
    const canceled = await jobs('cancel', slow.id);
    expect([canceled.code, canceled.stdout]).toEqual([0, expect.stringContaining(slow.id)]);
    await service.acme.ended(slow.id);
    const again = await jobs('cancel', slow.id);
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/^already_terminal: /)]);

    const retried = await jobsProcess('retry', slow.id, '--out', 'retried.png', '--json');
    expect(retried.code, retried.stderr).toBe(0);
    const job = JSON.parse(retried.stdout);
    expect(job).toMatchObject({ status: 'succeeded', parent_id: slow.id });
    expect(sha256(await readFile(join(service.dataDir, 'retried.png')))).toBe(job.images[0].sha256);

    expect(await jobs('erase', slow.id, job.id)).toMatchObject({
      code: 0,
      stdout: `${slow.id} is erased.\n${job.id} is erased.\n`,
    });
    expect((await jobs('get', job.id)).stderr).toMatch(/^erased: /);
  });

  it('jobs cancel continues with the next id if a job has ended or is unknown, and exits with 1', async () => {
    const ended = await service.acme.generate({ prompt: 'Ended before' });
    const slow = await service.acme.submit({ prompt: 'Stopped too [studio:latency=60000,times=1]' });
    const canceled = await jobs('cancel', ended.id, 'img_unknown', slow.id, '--json');
    expect(canceled.code).toBe(1);
    expect(canceled.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(new RegExp(`^${ended.id}: already_terminal: `)),
      expect.stringMatching(/^img_unknown: not_found: /),
    ]);
    expect(JSON.parse(canceled.stdout).id).toBe(slow.id);
    expect((await service.acme.ended(slow.id)).status).toBe('canceled');
  });

  it('usage reports the tenant of the key if only the address of a service is configured', async () => {
    const { cost, request } = await service.acme.generate({
      prompt: 'Counted',
      metadata: { order: '4712' },
    });
    const made = await manageKeysOf(service.url).create({ tenant: 'acme', scopes: ['admin'] });
    const operator = { url: service.url, apiKey: made.key };
    const listed = await runClientCommand(['usage', '--json'], operator);
    expect(listed.code, listed.stderr).toBe(0);
    const [row] = JSON.parse(listed.stdout);
    expect(row).toMatchObject({ model: request.model, day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) });
    expect(row.micro_usd).toBeGreaterThanOrEqual(cost.micro_usd ?? 0);
    const grouped = await runClientCommand(['usage', '--group-by', 'metadata.order', '--json'], operator);
    expect(JSON.parse(grouped.stdout)).toContainEqual(
      expect.objectContaining({ 'metadata.order': '4712', images: 1 }),
    );
    const reversed = await runClientCommand(
      ['usage', '--from', '2026-11-02', '--to', '2026-11-01'],
      operator,
    );
    expect([reversed.code, reversed.stderr]).toEqual([1, '--from must be before --to.\n']);
    const own = await runCommand(['usage'], { cwd: service.dataDir, env: reach() });
    expect([own.code, own.stderr]).toEqual([1, expect.stringMatching(/^insufficient_scope: /)]);
  });

  it('a reader that closes the pipe early ends no command with a stack trace', async () => {
    const command = `"${process.execPath}" "${compiledProgram('main')}" openapi | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', command]);
    expect([stdout, stderr]).toEqual(['openapi: 3.1.0\n0\n', '']);
  });

  it('jobs list --created-after and --created-before select by time', async () => {
    const job = await service.acme.generate({ prompt: 'Timed' });
    const [early, late] = ['2020-01-01T00:00:00Z', '2100-01-01T00:00:00Z'];
    const found = await jobs(
      ...['list', '--created-after', early, '--created-before', late, '--limit', '1', '--json'],
    );
    expect(JSON.parse(found.stdout)).toMatchObject([{ id: job.id }]);
    for (const none of [
      ['--created-after', late],
      ['--created-before', early],
    ]) {
      expect((await jobs('list', ...none)).stdout).toBe('No jobs.\n');
    }
  });

  it('jobs open prints the link in a pipe, and opens it on a terminal', async () => {
    const job = await service.acme.generate({ prompt: 'Opened' });
    const piped = await jobs('open', job.id);
    expect((await fetch(piped.stdout.trim())).status).toBe(200);
    expect((await jobs('open', job.id, '--index', '1')).stderr).toContain('has no image 1');
    if (process.platform !== 'linux') return;
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'xdg-open'), '#!/bin/sh\nprintf %s "$1" > opened\n');
    await chmod(join(folder, 'xdg-open'), 0o755);
    const env = { ...reach(), PATH: `${folder}:${process.env.PATH}` };
    const shown = await runCommand(['jobs', 'open', job.id], { cwd: folder, env, terminal: true });
    expect(shown.code).toBe(0);
    const opened = () => readFile(join(folder, 'opened'), 'utf8').catch(() => '');
    await expect.poll(opened).toMatch(/^http\S+$/);
    expect(shown.stdout).toContain(await opened());
  });

  it.runIf(process.platform === 'linux')(
    'jobs get draws images in a terminal that can, and never in a pipe',
    async () => {
      const job = await service.acme.generate({ prompt: 'Drawn' });
      const env = { ...reach(), TERM: 'xterm-kitty' };
      const options = { cwd: service.dataDir, env };
      const terminal = await runCommand(['jobs', 'get', job.id], { ...options, terminal: true });
      expect(terminal.stdout).toContain('\u001b_Ga=T,f=100');
      expect((await runCommand(['jobs', 'get', job.id], options)).stdout).not.toContain('\u001b');
      const plain = { ...options, env: { ...env, TERM: 'xterm' } };
      expect((await runCommand(['jobs', 'get', job.id], { ...plain, terminal: true })).stdout).not.toContain(
        '\u001b',
      );
    },
  );

  it('commands say what to do without a key, without a service and with a refused key', async () => {
    const run = (env: Record<string, string>) =>
      runCommand(['jobs', 'list'], {
        cwd: service.dataDir,
        env: { DATA_DIR: join(service.dataDir, 'none'), ...env },
      });
    const [missing, unreachable, refused] = await Promise.all([
      run({ DARKROOM_URL: service.url }),
      run({ ...reach(), DARKROOM_URL: 'http://127.0.0.1:1' }),
      run({ ...reach(), DARKROOM_API_KEY: 'unknown' }),
    ]);
    expect([missing, unreachable, refused].map(({ code }) => code)).toEqual([1, 1, 1]);
    expect(missing.stderr).toContain('Set DARKROOM_API_KEY');
    expect(unreachable.stderr).toBe(
      'No service responds at http://127.0.0.1:1. Start one with: darkroom dev\n',
    );
    expect(refused.stderr).toMatch(/^unauthorized: .*\nSet DARKROOM_API_KEY to a valid key/);
  });
});
