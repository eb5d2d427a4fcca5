import { request } from 'undici';
import type { Child } from '../harness/child.ts';
import { authorization } from './darkroom.ts';

/** Reads the newest job again and again, as another caller. @returns the latencies. */
export async function readJobs(api: Child, more: (count: number) => boolean): Promise<number[]> {
  const times: number[] = [];
  while (more(times.length)) {
    const startMs = performance.now();
    const { body } = await request(`${api.url}/images?limit=1`, { headers: { authorization } });
    await body.dump();
    times.push(performance.now() - startMs);
  }
  return times;
}
