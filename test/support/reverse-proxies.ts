import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { endOf, systemEnvironment } from './service-process.ts';

/** Real reverse proxies, as Debian packages them, with their default settings. */

const folders = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Returns the path of an installed program. Prints why its tests are skipped if it is not installed. */
export function findProxy(name: 'nginx' | 'haproxy'): string | undefined {
  const path = folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
  if (!path) console.warn(`skipped: ${name} is not installed (apt-get install ${name})`);
  return path;
}

export interface ReverseProxy {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts nginx in front of a service.
 *
 * @param directives lines of the location besides `proxy_pass`.
 */
export function startNginx(program: string, target: string, directives = ''): Promise<ReverseProxy> {
  return start((folder, port) => ({
    file: 'nginx.conf',
    text: `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; location / { proxy_pass ${target}; ${directives} } }
}
`,
    command: [program, '-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')],
  }));
}

/** Starts HAProxy in front of a service, with the timeouts of Debian's haproxy.cfg. */
export function startHaproxy(program: string, target: string): Promise<ReverseProxy> {
  return start((folder, port) => ({
    file: 'haproxy.cfg',
    text: `defaults
  mode http
  timeout connect 5000
  timeout client 50000
  timeout server 50000
frontend callers
  bind 127.0.0.1:${port}
  default_backend darkroom
backend darkroom
  server darkroom ${new URL(target).host}
`,
    command: [program, '-db', '-f', join(folder, 'haproxy.cfg')],
  }));
}

interface Setup {
  readonly file: string;
  readonly text: string;
  readonly command: readonly string[];
}

async function start(setup: (folder: string, port: number) => Setup): Promise<ReverseProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-proxy-'));
  const port = await freePort();
  const { file, text, command } = setup(folder, port);
  await writeFile(join(folder, file), text);
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env: systemEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    complaints += part;
  });
  const ended = endOf(child);
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${complaints}`);
    await sleep(20);
  }
  return { url: `http://127.0.0.1:${port}`, stop: () => stop(child, ended, folder) };
}

async function stop(child: ChildProcess, ended: Promise<unknown>, folder: string): Promise<void> {
  child.kill('SIGKILL');
  await ended;
  await rm(folder, { recursive: true, force: true });
}

/** Returns whether a server accepts connections on a port. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
