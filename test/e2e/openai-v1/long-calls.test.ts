import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import OpenAI from 'openai';
import { beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../../support/service.ts';
import { imageCalls, testKeys } from '../../support/service-environment.ts';

/** Calls that last longer than the first signs of life. `npm run test:long` measures the default times. */

let service: TestService;
beforeAll(async () => {
  service = await startService({ V1_KEEP_ALIVE_S: '1', WORKER_CONCURRENCY: '16' });
  return service.close;
});

const latency = '[studio:latency=2600]';
const refused = `[studio:moderation=violence] ${latency}`;

interface Received {
  readonly status: number | undefined;
  /** Statuses of interim responses. */
  readonly interim: readonly number[];
  readonly text: string;
  readonly socket: unknown;
}

/** Sends a generation as a client with a name, and collects everything that it receives. */
async function generate(
  body: object,
  { userAgent = 'OpenAI/JS 6.49.0', agent = new Agent() } = {},
): Promise<Received> {
  const interim: number[] = [];
  const call = request(`${service.url}/v1/images/generations`, {
    method: 'POST',
    agent,
    headers: {
      authorization: `Bearer ${testKeys.acme}`,
      'content-type': 'application/json',
      'user-agent': userAgent,
    },
  });
  call.on('information', ({ statusCode }) => interim.push(statusCode));
  call.end(JSON.stringify({ model: 'gpt-image-2', ...body }));
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const { socket } = response;
  let text = '';
  for await (const part of response) text += part;
  return { status: response.statusCode, interim, text, socket };
}

/** At least one `102`, and no other interim response. */
const onlyProcessing = expect.toSatisfy(
  (statuses: number[]) => statuses.length > 0 && statuses.every((status) => status === 102),
);

describe.concurrent('a call that lasts longer than the first sign of life', () => {
  it('keeps status, body and connection of a client that skips interim responses', async ({
    onTestFinished,
  }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const first = await generate({ prompt: `A fox of 102 ${latency}` }, { agent });
    expect(first).toMatchObject({ status: 200, interim: onlyProcessing });
    expect(first.text).toMatch(/^\{"created"/);
    const second = await generate({ prompt: 'A fox on the same connection' }, { agent });
    expect(second).toMatchObject({ status: 200, interim: [] });
    expect(second.socket).toBe(first.socket);
  });

  it('keeps the status of a late failure for a client that skips interim responses', async () => {
    const prompt = `A late failure of 102 ${refused}`;
    expect(await generate({ prompt })).toMatchObject({ status: 400, interim: onlyProcessing });
    expect(imageCalls(service.studio, prompt)).toHaveLength(1);
  });

  it('lets the official client throw a late failure with its code, after one call', async () => {
    const client = new OpenAI({ apiKey: testKeys.acme, baseURL: `${service.url}/v1` });
    const prompt = `A late failure of the client ${refused}`;
    await expect(client.images.generate({ prompt })).rejects.toMatchObject({
      status: 400,
      code: 'moderation_blocked',
    });
    expect(imageCalls(service.studio, prompt)).toHaveLength(1);
  });

  it('sends white space to a client that may take 102 as the final response', async () => {
    const { text, ...rest } = await generate(
      { prompt: `A fox of spaces ${latency}` },
      { userAgent: 'curl/8.5.0' },
    );
    expect(rest).toMatchObject({ status: 200, interim: [] });
    expect(text).toMatch(/^ {1,9}\{"created"/);
  });

  it('sends a late failure after white space as an error without data', async () => {
    const { status, text } = await generate(
      { prompt: `Late ${refused}` },
      { userAgent: 'python-requests/2' },
    );
    const body = JSON.parse(text) as Record<string, unknown>;
    expect([status, /^ {1,9}\{/.test(text)]).toEqual([200, true]);
    expect(body).toMatchObject({ error: { code: 'moderation_blocked' } });
    expect(body).not.toHaveProperty('data');
  });

  it('sends comments to a stream, and its late failure as an error event', async () => {
    const { interim, text } = await generate({ prompt: `A late stream ${refused}`, stream: true });
    expect(interim).toEqual([]);
    expect(text).toMatch(/^: keep-alive$/m);
    expect(text).toMatch(/event: error\ndata: .*moderation_blocked/);
  });
});
