import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { ManagedRedisError } from './managed-redis-error.ts';

/** A small process that ends the server when this process ends. */
export interface Guard {
  pid: number;
  /** Sets the server to end. */
  watch(serverPid: number): void;
  /** Ends the guard. The server continues. */
  dismiss(): void;
}

// Standard input is a pipe whose other end only this process holds. However this process ends, the kernel closes the
// pipe, and the second `read` returns. A server that does not end within 10 s of SIGTERM is killed.
const script = `
read -r server || exit 0
read -r _
kill -TERM "$server" 2>/dev/null || exit 0
rounds=0
while [ "$rounds" -lt 100 ] && kill -0 "$server" 2>/dev/null; do
  sleep 0.1
  rounds=$((rounds + 1))
done
kill -KILL "$server" 2>/dev/null
`;

/** Starts a guard in its own session, so that Ctrl-C and the end of the terminal do not reach it. Does not keep this process alive. */
export function startGuard(): Guard {
  const child = spawn('/bin/sh', ['-c', script, 'darkroom-redis-guard'], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: '/usr/bin:/bin' },
  });
  // The missing pid reports the failure. Without a listener the event would end this process.
  child.on('error', () => undefined);
  const { pid, stdin } = child;
  if (pid === undefined || !stdin)
    throw new ManagedRedisError(
      'could not start /bin/sh, which is needed to end Redis together with Darkroom',
    );
  child.unref();
  unrefStream(child);
  // A guard that another process ended must not stop this process.
  stdin.on('error', () => undefined);
  return {
    pid,
    watch: (serverPid) => void stdin.write(`${serverPid}\n`),
    dismiss: () => void child.kill('SIGKILL'),
  };
}

function unrefStream(child: ChildProcess): void {
  // The pipe is a socket at runtime, but its type has no `unref`.
  const stream: unknown = child.stdin;
  if (stream && typeof stream === 'object' && 'unref' in stream && typeof stream.unref === 'function')
    stream.unref();
}
