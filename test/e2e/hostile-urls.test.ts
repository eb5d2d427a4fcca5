import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  loopbackUrls,
  malformedUrls,
  reservedAddresses,
  urlOfAddress,
} from '../support/hostile-destinations.ts';
import { editFields, sendEntry } from '../support/hostile-entries.ts';
import { type RecordingProvider, startRecordingProvider } from '../support/recording-provider.ts';
import { startService, type TestService } from '../support/service.ts';
import { listenTcp } from '../support/tcp-server.ts';

let provider: RecordingProvider;
let service: TestService;
beforeAll(async () => {
  provider = await startRecordingProvider();
  service = await startService(provider.env);
});
afterAll(async () => {
  await service.close();
  await provider.close();
});

const forbidden = 'destination_forbidden';
const invalid = 'validation_failed';

/** Sends JSON to an entry. Returns its status, its code and the pointer of its first error. */
async function send(path: string, body: object) {
  const bytes = Buffer.from(JSON.stringify({ ...editFields, ...body }));
  return sendEntry(service.url, { path, contentType: 'application/json', body: bytes });
}

async function expectNothingLeft(): Promise<void> {
  const { body } = await service.acme.get('/images').expect(200);
  expect([body.data, provider.requests]).toEqual([[], []]);
}

describe('the address of an input', () => {
  it('is refused in every spelling of a private address at every entry, without a connection', async () => {
    let connections = 0;
    const { port } = await listenTcp(() => {
      connections += 1;
    });
    const plain = [...loopbackUrls(port), ...reservedAddresses.map((each) => urlOfAddress(each, port))];
    const urls = [...plain.map((each) => each.replace(/http:/i, 'https:')), ...malformedUrls];
    for (const url of urls) {
      const code = url === '' ? invalid : forbidden;
      const [image, mask, openAi] = await Promise.all([
        send('/images', { images: [{ url }] }),
        send('/images', { images: [{ url: 'https://images.example/a.png' }], mask: { url } }),
        send('/v1/images/edits', { images: [{ image_url: url }] }),
      ]);
      expect(image, url).toMatchObject({
        status: 422,
        code,
        pointer: '/images/0/url',
        param: 'images.0.url',
      });
      expect(mask, url).toMatchObject({ status: 422, code, pointer: '/mask/url' });
      expect(openAi.status, url).toBe(400);
      expect(openAi.param, url).toMatch(/^images\.0(\.image_url)?$/);
    }
    await expectNothingLeft();
    expect(connections).toBe(0);
  });

  it('is refused if it is plain http, even for a public name', async () => {
    const url = 'http://images.example/a.png';
    expect(await send('/images', { images: [{ url }] })).toMatchObject({ status: 422, code: forbidden });
    await expectNothingLeft();
  });
});
