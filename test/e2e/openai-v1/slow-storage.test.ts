import type { IncomingMessage, ServerResponse } from 'node:http';
import OpenAI from 'openai';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { storageIn } from '../../support/bucket.ts';
import { startTestS3, type TestS3 } from '../../support/s3-server.ts';
import { startServiceIn, type TestService } from '../../support/service.ts';
import { createEnvironment, testKeys } from '../../support/service-environment.ts';

/** Requests of `/v1` whose images are made, while the storage that holds them is slow or refuses reads. */

let s3: TestS3;
let api: TestService;
beforeAll(async () => {
  s3 = await startTestS3();
  const environment = await createEnvironment({ ...storageIn(s3), V1_KEEP_ALIVE_S: '1' });
  // In another process than the worker, which shares the bytes of its images with callers.
  api = await startServiceIn(environment, { ROLES: 'api' });
  const worker = await startServiceIn(environment, { ROLES: 'worker' });
  return async () => {
    await api.close();
    await worker.close();
    await environment.remove();
    await s3.stop();
  };
});
beforeEach(() => s3.intercept(null));

/** Passes each read of an object with this end of its key to a function, which responds or returns false. */
function onRead(end: string, respond: (request: IncomingMessage, response: ServerResponse) => boolean): void {
  s3.intercept((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    return request.method === 'GET' && path.endsWith(end) && respond(request, response);
  });
}

const openai = (maxRetries = 0) =>
  new OpenAI({
    apiKey: testKeys.acme,
    baseURL: `${api.url}/v1`,
    maxRetries,
    defaultHeaders: { via: 'test' },
  });

it('gets its image although the storage does not respond to reads of its previews', async () => {
  onRead('.preview', () => true);
  const stream = await openai().images.generate({ prompt: 'A dawn', n: 2, stream: true, partial_images: 2 });
  const types: string[] = [];
  for await (const { type } of stream) types.push(type);
  expect(types).toEqual(['image_generation.completed', 'image_generation.completed']);
}, 30_000);
