import { describe, expect, it } from 'vitest';
import { nearestName } from '../../../src/domain/nearest-name.ts';

const names = ['gpt-image-2', 'gpt-image-2.6-flare', 'gpt-image-2.6-sunburst'];

describe('the nearest name', () => {
  it.each([
    ['gpt-image-2.6-flar', 'gpt-image-2.6-flare'],
    ['gpt-image-2.6-falre', 'gpt-image-2.6-flare'],
    ['GPT-Image-2.6-Sunbrust', 'gpt-image-2.6-sunburst'],
    ['gpt-imag-2', 'gpt-image-2'],
    ['gptimage2', 'gpt-image-2'],
  ])('suggests for %s the name %s', (typed, nearest) => {
    expect(nearestName(typed, names)).toBe(nearest);
  });

  it.each(['', 'stable-diffusion', 'x'.repeat(100_000)])('suggests no name for %.20s', (typed) => {
    expect(nearestName(typed, names)).toBeNull();
  });
});
