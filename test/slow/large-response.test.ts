import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it, onTestFinished } from 'vitest';
import { noiseImage } from '../support/images.ts';
import { serve } from '../support/scripted-server.ts';
import { createEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

const megabyte = 1024 * 1024;
const maxRiseBytes = 150 * megabyte;

/** Returns the resident memory of a process in bytes. */
const residentBytes = (pid: number) =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** Sends a response with a text of base64 as fast as the client reads. */
async function sendLarge(response: ServerResponse, sizeBytes: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  // The client hangs up in the middle.
  await pipeline(Readable.from(largeBody(sizeBytes)), response).catch(() => {});
}

function* largeBody(sizeBytes: number): Generator<string> {
  const signature = Buffer.from('\x89PNG\r\n\x1a\n\0', 'latin1').toString('base64');
  yield `{"created":1,"data":[{"b64_json":"${signature}`;
  const piece = Buffer.alloc(48 * 1024, 7).toString('base64');
  for (let sent = 0; sent < sizeBytes; sent += piece.length) yield piece;
  yield '"}]}';
}

it('a response of 250 MB raises the memory of a process by at most 150 MB', {
  timeout: 120_000,
}, async () => {
  const small = JSON.stringify({ data: [{ b64_json: (await noiseImage(512, 512)).toString('base64') }] });
  let isLarge = false;
  const provider = await serve((response) => {
    if (isLarge) void sendLarge(response, 250 * megabyte);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(small);
  });
  const environment = await createEnvironment({ OPENAI_BASE_URL: provider.url });
  onTestFinished(environment.remove);
  const service = await startServiceProcess(environment.env);
  onTestFinished(async () => void (await service.stop()));
  const request = { model: 'gpt-image-2', on_uncertain: 'fail' };
  for (const prompt of ['Warm', 'Warmer']) {
    await service.acme.ended((await service.acme.submit({ ...request, prompt })).id);
  }

  isLarge = true;
  const before = residentBytes(service.pid);
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(service.pid));
  }, 10);
  onTestFinished(() => clearInterval(timer));
  const { id } = await service.acme.submit({ ...request, prompt: 'Too large' });
  expect(await service.acme.ended(id)).toMatchObject({
    status: 'failed',
    error: { code: 'provider_unusable_answer', billing: 'possible' },
  });
  expect(peak - before).toBeLessThan(maxRiseBytes);
});
