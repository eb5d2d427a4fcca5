import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Programs that open a link with the user's browser. */
const openers: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  win32: ['explorer.exe'],
};

/** Opens a link in the browser. Does nothing on a machine without one, because the link is printed too. */
export async function openInBrowser(url: string): Promise<void> {
  const [program = 'xdg-open', ...options] = openers[process.platform] ?? [];
  const child = spawn(program, [...options, url], { stdio: 'ignore', detached: true });
  await Promise.race([once(child, 'spawn'), once(child, 'error')]).catch(() => undefined);
  child.unref();
}
