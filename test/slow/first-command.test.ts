import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { isAlive } from '../../src/local/redis/process-identity.ts';
import { findOnPath } from '../../src/local/redis/run-program.ts';
import { readServerRecord } from '../../src/local/redis/server-record.ts';
import { createCaller } from '../support/caller.ts';
import { endOf, systemEnvironment } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Processes take many seconds to start on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const project = new URL('../..', import.meta.url).pathname;
/** Programs that the README's commands need. None of them belongs to Redis. */
const programs = [
  'node',
  'npm',
  'npx',
  'sh',
  'bash',
  'env',
  'curl',
  'tee',
  'cat',
  'date',
  'apt-get',
  'dpkg-deb',
];

/** Returns a fresh copy of the project with installed packages, and a PATH with few programs. */
async function freshCopy(): Promise<{ folder: string; env: Record<string, string> }> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-first-'));
  for (const name of ['package.json', 'tsconfig.json', 'src', 'clients']) {
    const filter = (path: string) => basename(path) !== 'dist';
    await cp(join(project, name), join(folder, name), { recursive: true, filter });
  }
  await linkPackages(folder);
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const name of programs) {
    const path = name === 'node' ? process.execPath : await findOnPath(name, process.env.PATH ?? '');
    if (path) await symlink(path, join(bin, name));
  }
  return { folder, env: { ...systemEnvironment(), PATH: bin, PORT: '0' } };
}

/** Links the installed packages into a copy, and the client of the copy, as npm does for a workspace. */
async function linkPackages(folder: string): Promise<void> {
  const packages = join(folder, 'node_modules');
  await mkdir(join(packages, '@darkroom'), { recursive: true });
  await symlink(join(folder, 'clients/typescript'), join(packages, '@darkroom/client'));
  for (const name of await readdir(join(project, 'node_modules'))) {
    if (name !== '@darkroom') await symlink(join(project, 'node_modules', name), join(packages, name));
  }
}

const children: ChildProcess[] = [];

/** Runs `npm start` until it has printed its welcome. */
async function npmStart(folder: string, env: Record<string, string>) {
  // A process group of its own, as in a terminal, because Ctrl-C signals every process of the group.
  const child = spawn('npm', ['start'], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
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
    // Every process of the group has ended.
  }
}

const readme = readFileSync(join(project, 'README.md'), 'utf8');

/** Returns the first block of a language after a heading of the README. */
function block(heading: string, language: string): string {
  const section = readme.slice(readme.indexOf(heading));
  const code = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(section)?.[1];
  if (code === undefined) throw new Error(`no ${language} under ${heading}`);
  return code;
}

/** Returns the lines of an output without the parts that differ between machines: addresses, folders and keys. */
function shapeOf(lines: readonly string[]): string[] {
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => line.replace(/http:\S+/g, 'URL').replace(/^(Redis|Storage|API key) .*/, '$1'));
}

async function run(folder: string, env: Record<string, string>, [program, ...args]: [string, ...string[]]) {
  return (await promisify(execFile)(program, args, { cwd: folder, env })).stdout;
}

/** A fresh copy, in which the tests share one `npm start`, because it takes seconds. */
let copy: Awaited<ReturnType<typeof freshCopy>>;
let running: ReturnType<typeof npmStart> | undefined;
beforeAll(async () => {
  copy = await freshCopy();
  return async () => {
    for (const child of children) endGroup(child);
    await rm(copy.folder, { recursive: true, force: true, maxRetries: 3 });
  };
});

/** Returns the running `npm start`, and starts it if it does not run. */
function started(): ReturnType<typeof npmStart> {
  running ??= npmStart(copy.folder, copy.env).catch((error) => {
    running = undefined;
    throw error;
  });
  return running;
}

/** Ids of the jobs that the README's commands submitted. */
const submitted: string[] = [];

const readKey = async () => (await readFile(join(copy.folder, '.darkroom/dev-api-key'), 'utf8')).trim();

describe('the first commands of the README', () => {
  it('the README shows the output of npm start, and its commands and programs work as pasted', async (context) => {
    const { folder, env } = copy;
    const service = await started();
    const shown = shapeOf(block('## Output of npm start', 'text').split('\n'));
    expect(shapeOf(service.lines)).toEqual(expect.arrayContaining(shown));

    // Pasted twice: the second paste is another request, so it must get another job.
    const submit = block('## Generate an image', 'sh').replace('http://localhost:8080', service.url);
    const pasted = [1, 2].map(async () => JSON.parse(await run(folder, env, ['bash', '-c', submit])));
    const [one, two] = await Promise.all(pasted);
    expect(one).toMatchObject({ status: 'succeeded', metadata: { order: '4711' } });
    expect(two.id).not.toBe(one.id);
    submitted.push(one.id, two.id);

    const caller = { ...env, DARKROOM_URL: service.url, DARKROOM_API_KEY: await readKey() };
    const list = block('Filters by metadata', 'sh');
    const listed = JSON.parse(await run(folder, caller, ['bash', '-c', list]));
    expect(listed.data.map(({ id }: { id: string }) => id).sort()).toEqual(submitted.sort());

    const [typescript = '', python = ''] = block('Save the program', 'sh').trim().split('\n');
    await writeFile(join(folder, 'fox.ts'), block('## Generate an image', 'ts'));
    expect(await run(folder, caller, ['bash', '-c', typescript])).toMatch(/^http:\S+ \d+$/m);
    expect(await sharp(join(folder, 'fox.png')).metadata()).toMatchObject({ format: 'png' });

    const version = await run(folder, systemEnvironment(), ['python3', '--version']).catch(() => null);
    if (version === null) context.skip('python3 is not installed');
    await rm(join(folder, 'fox.png'));
    await writeFile(join(folder, 'fox.py'), block('## Generate an image', 'python'));
    const withPython = { ...caller, PATH: process.env.PATH ?? '' };
    expect(await run(folder, withPython, ['bash', '-c', python])).toMatch(/^http:\S+ \d+\n$/);
    expect(await sharp(join(folder, 'fox.png')).metadata()).toMatchObject({ format: 'png' });
  });

  it('the client is installed elsewhere by the commands of its README', async () => {
    const { folder, env } = copy;
    const page = await readFile(join(folder, 'clients/typescript/README.md'), 'utf8');
    const [pack = '', install = ''] = (/^```sh\n(.*?)^```/ms.exec(page)?.[1] ?? '').split('\n');
    await run(folder, env, ['bash', '-c', pack]);
    const elsewhere = await temporaryFolder();
    const [, archive = ''] = /(darkroom-client-\S+)/.exec(install) ?? [];
    await cp(join(folder, archive), join(elsewhere, archive));
    await run(elsewhere, env, ['bash', '-c', install]);
    const program = "import('@darkroom/client').then(({ Darkroom }) => console.log(typeof Darkroom))";
    expect(await run(elsewhere, env, ['node', '-e', program])).toBe('function\n');
  });

  it('npm start prints two commands that save an image, ends with Ctrl-C, and finds the job again', async () => {
    expect(readme).toContain('npm ci && npm start');
    const { folder, env } = copy;
    const first = await started();
    expect(first.commands).toHaveLength(2);
    expect(isAlive(first.redis)).toBe(true);

    for (const command of first.commands) await run(folder, env, ['bash', '-c', command]);
    const image = await sharp(join(folder, 'image.png')).metadata();
    expect(image).toMatchObject({ format: 'png', width: 1024, height: 1024 });
    const job = JSON.parse(await readFile(join(folder, 'job.json'), 'utf8'));
    expect(job.status).toBe('succeeded');

    running = undefined;
    await first.ctrlC();
    await vi.waitFor(() => expect(isAlive(first.redis)).toBe(false), { timeout: 10_000 });
    await expect(fetch(`${first.url}/livez`)).rejects.toThrow();

    const second = await started();
    const again = createCaller(second.url.replace('localhost', '127.0.0.1'), await readKey());
    expect((await again.job(job.id)).images[0]?.sha256).toBe(job.images[0].sha256);
    expect(await again.image(job.id)).toEqual(await readFile(join(folder, 'image.png')));
    running = undefined;
    await second.ctrlC();
    await vi.waitFor(() => expect(isAlive(second.redis)).toBe(false), { timeout: 10_000 });
  });
});
