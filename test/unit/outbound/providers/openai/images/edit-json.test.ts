import { describe, expect, it } from 'vitest';
import { maxModeratedBytes } from '../../../../../../src/domain/edit-rules.ts';
import type { CallInput, ImageCall } from '../../../../../../src/domain/ports.ts';
import { editJson } from '../../../../../../src/outbound/providers/openai/images/edit-json.ts';

const callWith = (role: CallInput['role'], sizeBytes: number): ImageCall => ({
  ...{ model: 'm', prompt: 'p', parameters: { moderation: 'low' } },
  inputs: [{ role, index: 0, contentType: 'image/jpeg', sizeBytes, open: async () => null }],
});
const rejected = (message: RegExp) =>
  expect.objectContaining({
    failure: expect.objectContaining({
      ...{ kind: 'final', code: 'provider_rejected', billing: 'none' },
      message: expect.stringMatching(message),
    }),
  });

describe('the JSON form of an edit', () => {
  it('takes every input that a request with moderation may have, and no larger one', () => {
    expect(editJson(callWith('image', maxModeratedBytes)).sizeBytes).toBeGreaterThan(maxModeratedBytes);
    expect(() => editJson(callWith('image', maxModeratedBytes + 1))).toThrow(
      rejected(new RegExp(`at most ${maxModeratedBytes} bytes`)),
    );
  });

  it('takes no markup', () => {
    expect(() => editJson(callWith('markup', 8))).toThrow(rejected(/without a markup/));
  });
});
