import { describe, expect, it } from 'vitest';
import { sizeLike } from '../../../../src/local/studio/edits/edit-size.ts';
import { modelFamily } from '../../../../src/local/studio/models.ts';

const free = modelFamily('gpt-image-2.6-flare');

describe('the automatic size of an edit', () => {
  it.each([
    [
      { width: 1024, height: 1536 },
      { width: 1024, height: 1536 },
    ],
    [
      { width: 320, height: 200 },
      { width: 1296, height: 816 },
    ],
    [
      { width: 6000, height: 4000 },
      { width: 1248, height: 848 },
    ],
    [
      { width: 1000, height: 10 },
      { width: 1776, height: 592 },
    ],
    [
      { width: 10, height: 1000 },
      { width: 592, height: 1776 },
    ],
  ])('has nearly the ratio of the input %o', (input, size) => {
    expect(sizeLike(input, free)).toEqual(size);
  });

  it('is the classic size with the nearest ratio for models with classic sizes only', () => {
    const classic = modelFamily('gpt-image-1.5');
    expect(sizeLike({ width: 300, height: 200 }, classic)).toEqual({ width: 1536, height: 1024 });
    expect(sizeLike({ width: 200, height: 300 }, classic)).toEqual({ width: 1024, height: 1536 });
    expect(sizeLike({ width: 210, height: 200 }, classic)).toEqual({ width: 1024, height: 1024 });
  });
});
