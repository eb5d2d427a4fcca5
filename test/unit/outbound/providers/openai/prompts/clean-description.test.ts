import { describe, expect, it } from 'vitest';
import { cleanDescription } from '../../../../../../src/outbound/providers/openai/prompts/clean-description.ts';

describe('cleaning a description', () => {
  it.each([
    ['  A fox.\n', 'A fox.'],
    ['A fox\n\nin   snow.', 'A fox in snow.'],
    ['```\nA fox.\n```', 'A fox.'],
    ['```text\nA fox.\nIn snow.\n```', 'A fox. In snow.'],
    ['"A fox."', 'A fox.'],
    ['“A fox.”', 'A fox.'],
    ['**A fox.**', 'A fox.'],
    ['```\n"A fox."\n```', 'A fox.'],
    ['"OPEN" on one sign, "CLOSED"', '"OPEN" on one sign, "CLOSED"'],
    ['A sign "OPEN"', 'A sign "OPEN"'],
    ['A\u0000fox\u0007.', 'A fox .'],
    ['""', ''],
    [' \n', ''],
    ['"', '"'],
  ])('cleans the description %j to %j', (response, expected) => {
    expect(cleanDescription(response, 4_000)).toBe(expected);
  });

  it('removes lone surrogates from a description', () => {
    expect(cleanDescription('a\ud800b', 100).isWellFormed()).toBe(true);
  });

  it('truncates a description after a sentence, else after a word, else between code points', () => {
    expect(cleanDescription('One fox sits. Another one stands there.', 30)).toBe('One fox sits.');
    expect(cleanDescription('a long line of words without an end', 20)).toBe('a long line of words');
    expect(cleanDescription('a long line of words without an end', 19)).toBe('a long line of');
    expect(cleanDescription('🦊'.repeat(10), 4)).toBe('🦊'.repeat(4));
    expect([...cleanDescription('猫が座る。'.repeat(2_000), 4_000)].length).toBeLessThanOrEqual(4_000);
  });
});
