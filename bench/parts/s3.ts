import type { Closers } from '../../src/lib/closers.ts';
import { type Child, startChild } from '../harness/child.ts';

export const bucket = 'bench';
export const region = 'us-east-1';

/** Starts the S3 API; it keeps objects in memory, so they are to be thrown away now and then. */
export async function startS3(closers: Closers): Promise<Child> {
  return closers.add(await startChild({ module: 'parts/s3-server.js', env: {} }), (each) => each.stop());
}

/** Throws all objects away and says how many there were. */
export function emptyBucket(s3: Child): Promise<number> {
  return s3.ask<number>('empty');
}
