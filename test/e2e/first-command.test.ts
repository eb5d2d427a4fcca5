import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isAlive } from '../../src/local/redis/process-identity.ts';
import { findOnPath } from '../../src/local/redis/run-program.ts';
import { readServerRecord } from '../../src/local/redis/server-record.ts';
import { createCaller } from '../support/caller.ts';
import { endOf, systemEnvironment } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Processes need seconds to start, on a busy machine many seconds.
vi.setConfig({ testTimeout: 120_000 });

const project = new URL('../..', import.meta.url).pathname;
/** The programs that the commands of the README need; Redis is not among them. */
const programs = ['node', 'npm', 'sh', 'bash', 'env', 'curl', 'tee', 'cat', 'apt-get', 'dpkg-deb'];

/** Creates a copy of the project as after `npm ci`, and a PATH with few programs. */
async function freshCopy(): Promise<{ folder: string; env: Record<string, string> }> {
  const folder = await temporaryFolder();
  for (const name of ['package.json', 'tsconfig.json', 'src']) {
    await cp(join(project, name), join(folder, name), { recursive: true });
  }
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const name of programs) {
    const path = name === 'node' ? process.execPath : await findOnPath(name, process.env.PATH ?? '');
    if (path) await symlink(path, join(bin, name));
  }
  return { folder, env: { ...systemEnvironment(), PATH: bin, PORT: '0' } };
}

/** Runs `npm start` until it has printed its welcome. Returns handles of the running service. */
async function npmStart(folder: string, env: Record<string, string>) {
  // A separate process group, as in a terminal: Ctrl-C reaches every process of the group.
  const child = spawn('npm', ['start'], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => endGroup(child));
  const ended = endOf(child);
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('Ctrl-C')) resolve();
    });
    void ended.then(() => reject(new Error(`npm start ended:\n${lines.join('\n')}`)));
  });
  const record = readServerRecord(join(folder, '.darkroom/redis/server.json'));
  if (!record) throw new Error('no Redis was started');
  return {
    redis: record.server,
    url: /listens on (http:\S+)/.exec(lines.join('\n'))?.[1] ?? '',
    commands: lines.map((line) => line.trim()).filter((line) => line.startsWith('curl ')),
    lines,
    async ctrlC() {
      process.kill(-(child.pid ?? 0), 'SIGINT');
      await ended;
    },
  };
}

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has already ended.
  }
}

/** The first shell block of a page that contains a text. */
function shellBlock(page: string, text: string): string {
  const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block);
  const found = blocks.find((block) => block.includes(text));
  if (found === undefined) throw new Error(`no shell block with ${text}`);
  return found;
}

describe('the first commands of the README', () => {
  it('the README commands save an image, Ctrl-C ends all processes, and the next start finds the job', async () => {
    const readme = await readFile(join(project, 'README.md'), 'utf8');
    expect(readme).toContain('npm ci && npm start');
    const { folder, env } = await freshCopy();
    const first = await npmStart(folder, env);
    expect(first.lines.join('\n')).toMatch(/offline/i);
    expect(first.commands).toHaveLength(2);
    expect(isAlive(first.redis)).toBe(true);

    for (const command of first.commands) {
      await promisify(execFile)('bash', ['-c', command], { cwd: folder, env });
    }
    const image = await sharp(join(folder, 'image.png')).metadata();
    expect(image).toMatchObject({ format: 'png', width: 1024, height: 1024 });
    const job = JSON.parse(await readFile(join(folder, 'job.json'), 'utf8'));
    expect(job.status).toBe('succeeded');

    const submit = shellBlock(readme, '/images').replace('http://localhost:8080', first.url);
    const { stdout } = await promisify(execFile)('bash', ['-c', submit], { cwd: folder, env });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded', metadata: { order: '4711' } });

    await first.ctrlC();
    await vi.waitFor(() => expect(isAlive(first.redis)).toBe(false), { timeout: 10_000 });
    await expect(fetch(`${first.url}/livez`)).rejects.toThrow();

    const second = await npmStart(folder, env);
    const key = (await readFile(join(folder, '.darkroom/dev-api-key'), 'utf8')).trim();
    const again = createCaller(second.url.replace('localhost', '127.0.0.1'), key);
    expect((await again.job(job.id)).images[0]?.sha256).toBe(job.images[0].sha256);
    expect(await again.image(job.id)).toEqual(await readFile(join(folder, 'image.png')));
    await second.ctrlC();
    await vi.waitFor(() => expect(isAlive(second.redis)).toBe(false), { timeout: 10_000 });
  });
});
