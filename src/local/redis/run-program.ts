import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** Folders searched for programs when the caller names none. */
export const defaultSearchPath = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/opt/homebrew/bin',
].join(delimiter);

/** How a finished program did. `code` is undefined when it could not be started or was ended. */
export interface ProgramResult {
  code: number | undefined;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end, or ends it after `timeoutMs`. Never rejects. Without `env` the program has this
 * process' environment (proxy settings, for example).
 */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { timeoutMs: number; env?: Record<string, string>; cwd?: string },
): Promise<ProgramResult> {
  const { timeoutMs, ...rest } = options;
  return new Promise((resolve) => {
    const settings = { timeout: timeoutMs, killSignal: 'SIGKILL' as const, maxBuffer: 8 << 20, ...rest };
    execFile(program, args, settings, (error, stdout, stderr) => {
      if (!error) resolve({ code: 0, stdout, stderr });
      else if (error.killed)
        resolve({ code: undefined, stdout, stderr: `${stderr}\nno end after ${timeoutMs} ms` });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else resolve({ code: undefined, stdout, stderr: stderr || error.message });
    });
  });
}

/** The absolute path of an executable file called `name` in a folder of `searchPath`, the first that has one. */
export async function findOnPath(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter)) {
    // A relative entry would make the answer depend on the working directory.
    if (!isAbsolute(folder)) continue;
    const candidate = join(folder, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
