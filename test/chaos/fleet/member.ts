import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Role } from '../../../src/config/variables.ts';
import { type ProcessEnd, type RunningChild, startChild } from './child-process.ts';

/** One line of the log of a member. */
export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly msg: string;
  readonly job_id?: string;
  readonly address?: string;
}

/** A process of the deployment that may die, and is started again with the same command in the same folder. */
export interface Member {
  readonly name: string;
  readonly role: Role;
  readonly dataDir: string;
  /** Where it listens, or last listened. */
  url(): string;
  pid(): number;
  /** Whether it listens and is not paused. */
  isUp(): boolean;
  /** Starts it; resolves once it listens, or when it ended before. Does nothing while it runs. */
  start(): Promise<void>;
  /** Ends it with a signal and waits for that. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<ProcessEnd>;
  pause(): void;
  resume(): void;
}

interface MemberConfig {
  readonly name: string;
  readonly role: Role;
  /** Folder of the fleet: data folder and log of the member lie in it. */
  readonly folder: string;
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

const preload = new URL('./end-with-parent.mjs', import.meta.url).href;
const keptWords = 20;

interface MemberListeners {
  /** Hears every line it logs, and the process id of the life that said it. */
  readonly onLine: (line: LogLine, pid: number) => void;
  /** Hears of an end that nobody asked for. */
  readonly onCrash: (how: string) => void;
}

/** Prepares a member; it is not started yet. */
export function createMember(config: MemberConfig, listeners: MemberListeners): Member {
  const { name, role, folder } = config;
  const dataDir = join(folder, name);
  const logFile = join(folder, `${name}.log`);
  mkdirSync(dataDir, { recursive: true });
  let child: RunningChild | undefined;
  let state: 'down' | 'starting' | 'up' | 'paused' = 'down';
  let url = 'http://127.0.0.1:9';
  let killed = false;

  async function start(): Promise<void> {
    if (state !== 'down') return;
    state = 'starting';
    killed = false;
    const words: string[] = [];
    let listening = () => {};
    const isListening = new Promise<void>((resolve) => {
      listening = resolve;
    });
    const started = startChild(['--import', preload, config.program, 'serve'], {
      cwd: dataDir,
      env: { ...config.env, ROLES: role, DATA_DIR: dataDir },
      onLine(line) {
        appendFileSync(logFile, `${line}\n`);
        words.push(line);
        if (words.length > keptWords) words.shift();
        const parsed = parse(line);
        if (!parsed) return;
        if (parsed.msg === 'listening') {
          url = parsed.address?.replace('localhost', '127.0.0.1') ?? url;
          state = 'up';
          listening();
        }
        listeners.onLine(parsed, started.pid);
      },
    });
    child = started;
    const ended = started.ended.then((end) => {
      state = 'down';
      if (!killed)
        listeners.onCrash(`${name} ended by itself (${end.code ?? end.signal}):\n${words.join('\n')}`);
    });
    await Promise.race([isListening, ended]);
  }

  return {
    name,
    role,
    dataDir,
    url: () => url,
    pid: () => child?.pid ?? 0,
    isUp: () => state === 'up',
    start,
    async end(signal) {
      if (!child) return { code: null, signal: null };
      killed = true;
      if (state === 'paused') child.kill('SIGCONT');
      child.kill(signal);
      return child.ended;
    },
    pause() {
      if (state !== 'up') return;
      child?.kill('SIGSTOP');
      state = 'paused';
    },
    resume() {
      if (state !== 'paused') return;
      child?.kill('SIGCONT');
      state = 'up';
    },
  };
}

function parse(line: string): LogLine | null {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return null;
  }
}
