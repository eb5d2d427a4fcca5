import { readFile, writeFile } from 'node:fs/promises';

/** Memory of a process as Linux counts it. Other systems do not offer it. */

const figure = async (pid: number, name: string): Promise<number> => {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+([0-9]+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024;
};

/** Starts to watch the memory of a process. Returns a function that returns the growth of its peak, in bytes. */
export async function watchMemory(pid: number): Promise<() => Promise<number>> {
  // Resets the peak (proc(5)).
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  const before = await figure(pid, 'VmRSS');
  return async () => (await figure(pid, 'VmHWM')) - before;
}
