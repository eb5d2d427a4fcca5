import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { editEntries, fieldSets, formEntries } from '../support/edit-entries.ts';
import { type RecordedEdits, startRecordedEdits } from '../support/recorded-edits.ts';

/** Compares the bytes and fields that the provider receives with those that a caller sent, for every form of request. */

let edits: RecordedEdits;
beforeAll(async () => {
  edits = await startRecordedEdits({ INPUT_ALLOW_PRIVATE: 'true' });
});
afterAll(() => edits?.close());
beforeEach(() => void edits.provider.requests.splice(0));

describe.each(editEntries)('an edit by $name', (entry) => {
  it.each([1, 2, 16])(
    'the provider receives the bytes of %d images and a mask, and every field',
    async (count) => {
      const edit = { images: edits.images.slice(0, count), mask: edits.mask, fields: fieldSets.photo };
      await entry.send(edits, edit);
      edits.expectReceived(edit);
    },
  );
});

describe.each(formEntries)('an edit by $name', (entry) => {
  it.each(['fidelity', 'animation', 'drawing', 'previews'] as const)(
    'the provider receives the fields of the set "%s"',
    async (set) => {
      const edit = { images: edits.images.slice(0, 2), fields: fieldSets[set] };
      await entry.send(edits, edit);
      edits.expectReceived(edit);
    },
  );

  it('the provider receives the bytes of a markup', async () => {
    const edit = { images: edits.images.slice(0, 1), markup: edits.mask, fields: fieldSets.photo };
    await entry.send(edits, edit);
    edits.expectReceived(edit);
  });
});
