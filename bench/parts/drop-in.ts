import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { installPackages } from '../../scripts/install-packages.ts';
import type { Closers } from '../../src/lib/closers.ts';
import { type Child, startChild } from '../harness/child.ts';
import { freePort } from '../harness/free-port.ts';
import { authorization } from './darkroom.ts';

const benchFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Starts Portkey's gateway in production mode, without its web page.
 *
 * @throws Error if its package cannot be installed, for example without a network
 */
export async function startPortkey(closers: Closers): Promise<Child> {
  const folder = await installPackages(join(benchFolder, 'gateway'));
  const program = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  const port = await freePort();
  const child = await startChild({
    module: relative(benchFolder, program),
    args: [`--port=${port}`, '--headless'],
    readyUrl: `http://127.0.0.1:${port}/`,
    env: {},
  });
  return closers.add(child, (each) => each.stop());
}

/** A server of OpenAI's image API under comparison. */
export interface DropIn {
  readonly child: Child;
  /**
   * Generates images, or gets those of an earlier call with the same key.
   *
   * @returns milliseconds until the last byte.
   * @throws Error if the response is not complete
   */
  generate(n?: number, idempotencyKey?: string): Promise<number>;
}

/**
 * Creates the client of a server.
 *
 * @param options.headers headers that only this server needs.
 * @param options.imageBytes size of one image, to check that responses are complete.
 */
export function callDropIn(
  child: Child,
  options: { connections: number; headers: Readonly<Record<string, string>>; imageBytes: number },
  closers: Closers,
): DropIn {
  // Idle connections end before Node's servers close them, because a request on a closing connection is reset.
  const pool = closers.add(
    new Pool(child.url, { connections: options.connections, keepAliveMaxTimeout: 1_000 }),
    (each) => each.destroy(),
  );
  const headers = { 'content-type': 'application/json', authorization, ...options.headers };
  let calls = 0;
  async function generate(n = 1, idempotencyKey?: string): Promise<number> {
    calls += 1;
    const prompt = `A lighthouse in a storm, oil on canvas, no. ${idempotencyKey ?? calls}`;
    const startMs = performance.now();
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/v1/images/generations',
      headers: idempotencyKey === undefined ? headers : { ...headers, 'idempotency-key': idempotencyKey },
      body: JSON.stringify({ model: 'gpt-image-2', prompt, n, size: '1024x1024', quality: 'high' }),
    });
    let bytes = 0;
    for await (const chunk of body) bytes += (chunk as Buffer).length;
    const least = n * options.imageBytes * (4 / 3);
    if (statusCode !== 200 || bytes < least) throw new Error(`status ${statusCode} with ${bytes} bytes`);
    return performance.now() - startMs;
  }
  return { child, generate };
}

/** Returns the headers that direct Portkey to a provider. */
export const portkeyHeaders = (providerUrl: string) => ({
  'x-portkey-provider': 'openai',
  'x-portkey-custom-host': `${providerUrl}/v1`,
});
