import { Pool } from 'undici';
import type { Closers } from '../../src/lib/closers.ts';
import { type Child, startChild } from '../harness/child.ts';
import { bucket } from './s3.ts';

/** The two calls without a service around them, in a process of their own. */
export interface TwoCalls {
  readonly process: Child;
  /** Makes one picture; resolves when the storage has it. */
  make(): Promise<void>;
}

/** Starts the process. `pictureBytes` is how many bytes go to the storage. */
export async function startTwoCalls(
  around: { providerUrl: string; s3Url: string; pictureBytes: number },
  closers: Closers,
): Promise<TwoCalls> {
  const child = closers.add(
    await startChild({
      module: 'parts/two-calls-server.js',
      env: {
        PROVIDER_URL: around.providerUrl,
        BUCKET_URL: `${around.s3Url}/${bucket}`,
        PICTURE_BYTES: String(around.pictureBytes),
      },
    }),
    (each) => each.stop(),
  );
  const pool = closers.add(new Pool(child.url), (each) => each.destroy());
  return {
    process: child,
    async make() {
      const { statusCode, body } = await pool.request({ method: 'POST', path: '/' });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`a picture was not made: ${statusCode} ${text}`);
    },
  };
}
