import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Edit, fieldSets } from '../support/edit-entries.ts';
import { loadClients } from '../support/openai-clients.ts';
import { editClientsOf } from '../support/openai-edit-clients.ts';
import { type RecordedEdits, startRecordedEdits } from '../support/recorded-edits.ts';

/** Compares the bytes and fields that the provider receives with those that an unmodified client sent. */

const installed = await loadClients();
const clients = installed ? editClientsOf(installed) : [];

let edits: RecordedEdits;
beforeAll(async () => {
  edits = await startRecordedEdits();
});
afterAll(() => edits?.close());
beforeEach(() => void edits.provider.requests.splice(0));

/** Checks that the provider received the edit and nothing else. */
function expectReceived(edit: Edit): void {
  expect(edits.provider.requests).toHaveLength(1);
  edits.expectReceived(edit);
}

describe.each(clients)('$name', (client) => {
  it.each([1, 2, 16])(
    'the provider receives the bytes of %d images and a mask, and every field',
    async (count) => {
      const edit = { images: edits.images.slice(0, count), mask: edits.mask, fields: fieldSets.photo };
      await client.send(edits, edit);
      expectReceived(edit);
    },
  );

  it.each(client.sets)('the provider receives the fields of the set "%s"', async (set) => {
    const edit = { images: edits.images.slice(0, 2), fields: fieldSets[set] };
    await client.send(edits, edit);
    expectReceived(edit);
  });

  it.runIf(client.hasMarkup)('the provider receives the bytes of a markup', async () => {
    const edit = { images: edits.images.slice(0, 1), markup: edits.mask, fields: fieldSets.photo };
    await client.send(edits, edit);
    expectReceived(edit);
  });
});
