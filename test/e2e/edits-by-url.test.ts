import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noiseImage, sha256 } from '../support/images.ts';
import { type RecordingProvider, startRecordingProvider } from '../support/recording-provider.ts';
import { startService, type TestService } from '../support/service.ts';

let provider: RecordingProvider;
let service: TestService;
let png: Buffer;
let origin: string;
const server = createServer((request, response) => {
  if (request.url === '/photo.png') response.end(png);
  else if (request.url === '/moved.png') response.writeHead(301, { location: '/photo.png' }).end();
  else if (request.url === '/page') response.end('<html></html>');
  else response.writeHead(404).end();
});
beforeAll(async () => {
  png = await noiseImage(320, 200);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  provider = await startRecordingProvider();
  service = await startService({ ...provider.env, INPUT_ALLOW_PRIVATE: 'true' });
});
afterAll(async () => {
  await service.close();
  await provider.close();
  server.close();
});
beforeEach(() => void provider.requests.splice(0));

const edit = (path: string) =>
  service.acme.generate({
    prompt: 'Make it snow',
    model: 'gpt-image-2.6-flare',
    images: [{ url: origin + path }],
  });

describe('an edit of a URL', () => {
  it('a worker fetches the URL and sends its bytes', async () => {
    const job = await edit('/photo.png');
    expect(job.status).toBe('succeeded');
    expect(provider.requests[0]?.files[0]?.sha256).toBe(sha256(png));
    expect(job.inputs).toMatchObject([
      { width: 320, sha256: sha256(png), source: { type: 'url', url: `${origin}/photo.png` } },
    ]);
  });

  it.each([
    ['a redirect', '/moved.png', 'input_unavailable'],
    ['a missing file', '/nothing.png', 'input_unavailable'],
    ['a web page', '/page', 'input_invalid'],
  ])('%s ends the job before it costs anything', async (_, path, code) => {
    const job = await edit(path);
    expect(job).toMatchObject({
      status: 'failed',
      error: { code, billing: 'none', message: expect.stringMatching(/^\/images\/0: /), retryable: false },
      cost: { micro_usd: 0, billing: 'none' },
      attempts: [],
    });
    expect(provider.requests).toEqual([]);
  });
});
