import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Edit, fieldSets, filesOf, textsOf } from '../support/edit-entries.ts';
import { clearMask, noiseImage } from '../support/images.ts';
import { loadClients } from '../support/openai-clients.ts';
import { editClientsOf } from '../support/openai-edit-clients.ts';
import { type RecordingProvider, startRecordingProvider } from '../support/recording-provider.ts';
import { safetyIdentifier } from '../support/safety-identifier.ts';
import { startService, type TestService } from '../support/service.ts';

/** Compares the bytes and fields that the provider receives with those that an unmodified client sent. */

const installed = await loadClients();
const clients = installed ? editClientsOf(installed) : [];

let provider: RecordingProvider;
let service: TestService;
let images: Buffer[];
let mask: Buffer;
beforeAll(async () => {
  provider = await startRecordingProvider();
  service = await startService(provider.env);
  const formats = ['png', 'jpeg', 'webp'] as const;
  images = await Promise.all(
    Array.from({ length: 16 }, (_, at) => noiseImage(64 + at, 48, formats[at % formats.length])),
  );
  mask = await clearMask(64, 48);
});
afterAll(async () => {
  await service.close();
  await provider.close();
});
beforeEach(() => void provider.requests.splice(0));

/** Checks the only call of the provider against the edit that was sent. */
function expectReceived(edit: Edit): void {
  expect(provider.requests.map(({ path }) => path)).toEqual(['/v1/images/edits']);
  const [request] = provider.requests;
  expect(request?.files.map(({ field, sha256 }) => [field, sha256])).toEqual(filesOf(edit));
  expect(Object.fromEntries(request?.fields ?? [])).toEqual({
    ...textsOf(edit.fields),
    safety_identifier: expect.stringMatching(safetyIdentifier),
  });
}

describe.each(clients)('$name', (client) => {
  it.each([1, 2, 16])(
    'the provider receives the bytes of %d images and a mask, and every field',
    async (count) => {
      const edit = { images: images.slice(0, count), mask, fields: fieldSets.photo };
      await client.send({ service, provider }, edit);
      expectReceived(edit);
    },
  );

  it.each(client.sets)('the provider receives the fields of the set "%s"', async (set) => {
    const edit = { images: images.slice(0, 2), fields: fieldSets[set] };
    await client.send({ service, provider }, edit);
    expectReceived(edit);
  });

  it.runIf(client.hasMarkup)('the provider receives the bytes of a markup', async () => {
    const edit = { images: images.slice(0, 1), markup: mask, fields: fieldSets.photo };
    await client.send({ service, provider }, edit);
    expectReceived(edit);
  });
});
