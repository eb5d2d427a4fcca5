import { describe, expect, it } from 'vitest';
import {
  lostQuotedText,
  quotedTexts,
} from '../../../../../../src/outbound/providers/openai/prompts/quoted-text.ts';

describe('quoted text of a prompt', () => {
  it.each([
    ['a sign saying "OPEN LATE" and "24/7"', ['OPEN LATE', '24/7']],
    ['a “Grand Hotel” sign', ['Grand Hotel']],
    ['ein Schild „Guten Tag“ und „Bitte"', ['Guten Tag', 'Bitte']],
    ['une affiche «Bon vivant» et « Paris »', ['Bon vivant', 'Paris']],
    ['ein »Schild« und »Tor«', ['Schild', 'Tor']],
    ['看板「居酒屋」と『本』', ['居酒屋', '本']],
    ['写着"你好"的牌子', ['你好']],
    ["a mug with 'Hello, world!' on it", ['Hello, world!']],
    ['a ‘Sale’ tag', ['Sale']],
  ])('finds every quoted text of a prompt: %s', (prompt, expected) => {
    expect(quotedTexts(prompt)).toEqual(expected);
  });

  it.each([
    ["the dogs' bowl and the cats' bed"],
    ["it's a fox that doesn't know it's raining"],
    ['a 12" screen next to a 14" one'],
    ['a fox that doesn’t care, ‘don’t go’'],
    ['"a cat on a red sofa"'],
    ['an empty "" mark'],
  ])('finds no quoted text in: %s', (prompt) => {
    expect(quotedTexts(prompt)).toEqual([]);
  });
});

describe('a description', () => {
  it('accepts a description with the exact quoted text in any quotation marks', () => {
    expect(
      lostQuotedText('a sign "Bob\'s Diner"', 'A neon sign reads “Bob’s Diner” over a door.'),
    ).toBeNull();
    expect(lostQuotedText('a sign "OPEN"', 'A sign reads "Open".')).toBe('OPEN');
    expect(lostQuotedText('a sign "Café"', 'A sign reads "Cafe\u0301".')).toBeNull();
    expect(lostQuotedText('"two  lines" here', 'It says "two lines".')).toBeNull();
  });

  it('reports no lost text for a prompt without quotes', () => {
    expect(lostQuotedText('a fox', 'anything')).toBeNull();
  });
});
