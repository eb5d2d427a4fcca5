import { noiseImage } from './images.ts';
import { imageCall } from './provider-calls.ts';
import { respondWith, type Script } from './scripted-server.ts';

/** Scripts of a server that generates images in the background. */

type Members = Record<string, unknown>;

/** The response to a submission. */
export const queued = { id: 'resp_1', object: 'response', status: 'queued', output: [] };
/** Returns a response that failed with the given error. */
export const failed = (error: Members) => ({ ...queued, status: 'failed', error });
/** Returns a completed response with one image. */
export async function completed(rest: Members = {}) {
  const result = (await noiseImage(64, 64)).toString('base64');
  return { ...queued, status: 'completed', output: [{ type: 'image_generation_call', result }], ...rest };
}

/** Responds to the submission with an id and to each poll with the next script. The last script repeats. */
export function background(...polls: Script[]): Script {
  let polled = 0;
  return (response, request, index) => {
    if (request.method === 'POST') return respondWith(200, queued)(response, request, index);
    const script = polls[Math.min(polled, polls.length - 1)];
    polled += 1;
    script?.(response, request, index);
  };
}

export const backgroundCall = imageCall('Ein Fuchs 🦊 auf dem „Marktplatz“, 猫');
/** Returns the methods of all requests of a server, in sequence. */
export const methodsOf = (server: { seen: readonly { method: string }[] }) =>
  server.seen.map(({ method }) => method);
