import type { Closers } from '../../src/lib/closers.ts';
import { type Child, startChild } from '../harness/child.ts';

export const bucket = 'bench';
export const region = 'us-east-1';

/** Starts the S3 API. It stores objects in memory, so the caller must clear them from time to time. */
export async function startS3(closers: Closers): Promise<Child> {
  return closers.add(await startChild({ module: 'parts/s3-server.js', env: {} }), (each) => each.stop());
}

/** Deletes all objects and returns their number. */
export function emptyBucket(s3: Child): Promise<number> {
  return s3.query<number>('empty');
}
