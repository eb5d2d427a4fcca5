import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Cut, startCuttingProxy } from '../../support/cutting-proxy.ts';
import { sha256 } from '../../support/images.ts';
import { hasPython, pythonKinds } from '../../support/python-client.ts';
import { usePython } from '../../support/python-service.ts';
import { imageCalls } from '../../support/service-environment.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const python = usePython();

const submission = /^POST \/images /;
const stream = /^GET \/images\/\w+\/events /;
const poll = /^GET \/images\/\w+\?wait=/;
const content = /^GET \/images\/\w+\/content\//;

/** Cuts by stage: the requests to cut, the cut, and the number of connections that it meets. */
const stages: [stage: string, request: RegExp, cut: Cut, times: number][] = [
  ['before the request', submission, { after: 'request', bytes: 0 }, 3],
  ['in the headers of the request', submission, { after: 'request', bytes: 60 }, 2],
  ['before the response to an accepted request', submission, { after: 'response', bytes: 0 }, 3],
  ['in the headers of the response', submission, { after: 'response', bytes: 40 }, 2],
  ['in the body of the response', submission, { after: 'response', bytes: 900 }, 2],
  ['before the event stream', stream, { after: 'response', bytes: 0 }, 1],
  ['in the headers of the event stream', stream, { after: 'response', bytes: 30 }, 1],
  ['in the events of every stream', stream, { after: 'response', bytes: 900 }, 99],
  ['in every stream and in a long poll', stream, { after: 'request', bytes: 0 }, 99],
];

describe.skipIf(!hasPython).each(pythonKinds)('the %s Python client over broken connections', (kind) => {
  it.each(stages)(`pays once although connections break %s (${kind})`, async (stage, request, cut, times) => {
    let seen = 0;
    let polls = 0;
    const proxy = await startCuttingProxy(python.service.url, (line) => {
      if (request.test(line)) {
        seen += 1;
        return seen <= times ? cut : undefined;
      }
      polls += poll.test(line) ? 1 : 0;
      return stage.includes('long poll') && polls === 1 && poll.test(line) ? cut : undefined;
    });
    const prompt = `A fox ${kind} ${stage} [studio:latency=400]`;
    const { result: job, events } = await python.verbs.run(kind, ['generate', prompt], {
      url: proxy.url,
      options: { watch: true },
    });

    expect(job.status).toBe('succeeded');
    expect(proxy.cuts()).toBeGreaterThan(0);
    expect(imageCalls(python.service.studio, prompt)).toHaveLength(1);
    expect(job.attempts).toHaveLength(1);
    const once = events.filter((type) => type !== 'image.progress');
    expect(once).toEqual([...new Set(once)]);
  });

  it(`downloads the complete image although the connection breaks in its bytes (${kind})`, async () => {
    const { result: job } = await python.verbs.run(kind, ['generate', 'A fox to download'], {
      url: python.service.url,
    });
    let downloads = 0;
    const proxy = await startCuttingProxy(python.service.url, (line) => {
      if (!content.test(line)) return undefined;
      downloads += 1;
      return downloads <= 2 ? { after: 'response', bytes: 2_000 } : undefined;
    });
    const file = join(await temporaryFolder(), 'fox.png');
    await python.verbs.run(kind, ['download', job.id, file], { url: proxy.url });
    expect(proxy.cuts()).toBe(2);
    expect(sha256(await readFile(file))).toBe(job.images[0]?.sha256);
  });

  it(`gives up with the key of the job if the service stays unreachable (${kind})`, async () => {
    const proxy = await startCuttingProxy(python.service.url, () => ({ after: 'response', bytes: 0 }));
    const prompt = `A fox ${kind} behind a broken network`;
    const { error } = await python.verbs.run(kind, ['generate', prompt], { url: proxy.url });
    expect(error).toMatchObject({
      class: 'ConnectionFailed',
      idempotency_key: expect.stringMatching(/^py-/),
    });
    const { result: job } = await python.verbs.run(kind, ['generate', prompt], {
      url: python.service.url,
      options: { idempotency_key: error?.idempotency_key },
    });
    expect(job.status).toBe('succeeded');
    expect(imageCalls(python.service.studio, prompt)).toHaveLength(1);
  });
});
