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
  /** Id of the subject of a task. */
  readonly id?: string;
  readonly address?: string;
}

/** A process of the deployment. It may be killed and is restarted with the same command in the same folder. */
export interface Member {
  readonly name: string;
  readonly role: Role;
  readonly dataDir: string;
  /** Returns the current or last address. */
  url(): string;
  pid(): number;
  /** Returns whether the process listens and is not paused. */
  isUp(): boolean;
  /** Starts the process. Resolves when it listens or has ended. Does nothing if it runs. */
  start(): Promise<void>;
  /** Sends a signal and waits for the end of the process. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<ProcessEnd>;
  pause(): void;
  resume(): void;
}

interface MemberConfig {
  readonly name: string;
  readonly role: Role;
  /** Folder of the fleet, which contains the data folder and the log of the member. */
  readonly folder: string;
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

const preload = new URL('./end-with-parent.mjs', import.meta.url).href;
const maxLastLines = 20;

interface MemberListeners {
  /** Called with every log line and the id of the process. */
  readonly onLine: (line: LogLine, pid: number) => void;
  /** Called after an unexpected end of the process. */
  readonly onCrash: (how: string) => void;
}

/** Creates a member without starting its process. */
export function createMember(config: MemberConfig, listeners: MemberListeners): Member {
  const { name, role, folder } = config;
  const dataDir = join(folder, name);
  const logFile = join(folder, `${name}.log`);
  let child: RunningChild | undefined;
  let state: 'down' | 'starting' | 'up' | 'paused' = 'down';
  let url = 'http://127.0.0.1:9';
  let killed = false;

  async function start(): Promise<void> {
    if (state !== 'down') return;
    state = 'starting';
    killed = false;
    // A scenario may have deleted the folder.
    mkdirSync(dataDir, { recursive: true });
    const lastLines: string[] = [];
    let listening = () => {};
    const isListening = new Promise<void>((resolve) => {
      listening = resolve;
    });
    const started = startChild(['--import', preload, config.program, 'serve'], {
      cwd: dataDir,
      env: { ...config.env, ROLES: role, DATA_DIR: dataDir },
      onLine(line) {
        appendFileSync(logFile, `${line}\n`);
        lastLines.push(line);
        if (lastLines.length > maxLastLines) lastLines.shift();
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
        listeners.onCrash(`${name} ended unexpectedly (${end.code ?? end.signal}):\n${lastLines.join('\n')}`);
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
