import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Edit, editEntries, fieldSets, filesOf, formEntries, textsOf } from '../support/edit-entries.ts';
import { clearMask, noiseImage } from '../support/images.ts';
import { type RecordingProvider, startRecordingProvider } from '../support/recording-provider.ts';
import { safetyIdentifier } from '../support/safety-identifier.ts';
import { startService, type TestService } from '../support/service.ts';

/** Compares the bytes and fields that the provider receives with those that a caller sent, for every form of request. */

let provider: RecordingProvider;
let service: TestService;
let images: Buffer[];
let mask: Buffer;
beforeAll(async () => {
  provider = await startRecordingProvider();
  service = await startService({ ...provider.env, INPUT_ALLOW_PRIVATE: 'true' });
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
  const edits = provider.requests.filter(({ path }) => path === '/v1/images/edits');
  expect(edits).toHaveLength(1);
  expect(edits[0]?.files.map(({ field, sha256 }) => [field, sha256])).toEqual(filesOf(edit));
  expect(Object.fromEntries(edits[0]?.fields ?? [])).toEqual({
    ...textsOf(edit.fields),
    safety_identifier: expect.stringMatching(safetyIdentifier),
  });
}

describe.each(editEntries)('an edit by $name', (entry) => {
  it.each([1, 2, 16])(
    'the provider receives the bytes of %d images and a mask, and every field',
    async (count) => {
      const edit = { images: images.slice(0, count), mask, fields: fieldSets.photo };
      await entry.send({ service, provider }, edit);
      expectReceived(edit);
    },
  );
});

describe.each(formEntries)('an edit by $name', (entry) => {
  it.each(['fidelity', 'animation', 'drawing', 'previews'] as const)(
    'the provider receives the fields of the set "%s"',
    async (set) => {
      const edit = { images: images.slice(0, 2), fields: fieldSets[set] };
      await entry.send({ service, provider }, edit);
      expectReceived(edit);
    },
  );

  it('the provider receives the bytes of a markup', async () => {
    const edit = { images: images.slice(0, 1), markup: mask, fields: fieldSets.photo };
    await entry.send({ service, provider }, edit);
    expectReceived(edit);
  });
});
