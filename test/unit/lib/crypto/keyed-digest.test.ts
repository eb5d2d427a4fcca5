import { describe, expect, it } from 'vitest';
import { createKeyedDigest } from '../../../../src/lib/crypto/keyed-digest.ts';

describe('keyed digests', () => {
  const ours = createKeyedDigest(Buffer.alloc(32, 1));

  it('returns the same digest for the same text in every process with the key', () => {
    expect(createKeyedDigest(Buffer.alloc(32, 1))('a prompt')).toBe(ours('a prompt'));
    expect(ours('another prompt')).not.toBe(ours('a prompt'));
  });

  it('returns another digest with another key', () => {
    expect(createKeyedDigest(Buffer.alloc(32, 2))('a prompt')).not.toBe(ours('a prompt'));
  });

  it('returns another digest for another purpose', () => {
    expect(createKeyedDigest(Buffer.alloc(32, 1), 'end users')('a prompt')).not.toBe(ours('a prompt'));
  });
});
