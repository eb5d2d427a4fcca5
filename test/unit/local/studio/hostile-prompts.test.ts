import { describe, expect, it } from 'vitest';
import { describeImage } from '../../../../src/local/studio/describe/describe.ts';
import { readFaults } from '../../../../src/local/studio/faults.ts';

describe('hostile prompts', () => {
  it.each([
    ['a tag, tabs and no end', `<a>${'\t'.repeat(20_000)}x`],
    ['quotes, spaces and no end', `"""${' '.repeat(20_000)}x`],
    ['unclosed fault words', '[studio:'.repeat(4_000)],
    ['unclosed quotations', '„“「『«'.repeat(6_000)],
    ['spaces before a full stop', `a${' '.repeat(30_000)}b`],
  ])('describes a prompt of %s and searches it for faults within a second', (_name, prompt) => {
    const startedAt = performance.now();
    expect(describeImage(prompt)).not.toBe('');
    expect(readFaults('text', prompt, prompt)).toEqual([]);
    // The same shapes, just below the length up to which patterns read a request.
    expect(describeImage(prompt.slice(-3_900))).not.toBe('');
    expect(describeImage(prompt.slice(0, 3_900))).not.toBe('');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
