import { describe, expect, it } from 'vitest';
import { createKeyedDigest } from '../../../../src/lib/crypto/keyed-digest.ts';

describe('a sealed digest', () => {
  const ours = createKeyedDigest(Buffer.alloc(32, 1));

  it('is the same for the same text in every process that has the key', () => {
    expect(createKeyedDigest(Buffer.alloc(32, 1))('a prompt')).toBe(ours('a prompt'));
    expect(ours('another prompt')).not.toBe(ours('a prompt'));
  });

  it('cannot be made again with another key', () => {
    expect(createKeyedDigest(Buffer.alloc(32, 2))('a prompt')).not.toBe(ours('a prompt'));
  });
});
