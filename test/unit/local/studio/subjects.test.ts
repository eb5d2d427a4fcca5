import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PresetFile } from '../../../../src/domain/preset.ts';
import { composeScene } from '../../../../src/local/studio/drawing/scene.ts';

const { presets } = PresetFile.parse(
  JSON.parse(readFileSync(new URL('../../../../src/data/presets.json', import.meta.url), 'utf8')),
);

/** Returns the full prompt of a preset with its default values. */
function expand(name: string, prompt: string): string {
  const preset = presets.find((each) => each.name === name);
  const variables: Record<string, { default?: string | undefined }> = preset?.variables ?? {};
  return (preset?.template ?? '')
    .replace('{{prompt}}', prompt)
    .replace(/\{\{(\w+)\}\}/g, (_match, variable: string) => variables[variable]?.default ?? '');
}

const draw = (prompt: string, index = 0) =>
  composeScene({ prompt, seed: '', index, width: 256, height: 256, backdrop: true });
const showsPerson = (svg: string) => svg.includes('<desc>person</desc>');
const showsLighthouse = (svg: string) => svg.includes('<desc>lighthouse</desc>');

describe('the subject of a studio image', () => {
  it.each([0, 1, 2, 3, 4, 5])(
    'draws no person for the preset ad-creative without a request for one: image %i',
    (index) => {
      expect(showsPerson(draw(expand('ad-creative', 'A bottle of olive oil'), index))).toBe(false);
    },
  );

  it('draws a person for the preset ad-creative on request', () => {
    expect(showsPerson(draw(expand('ad-creative', 'A woman with a bottle of olive oil')))).toBe(true);
  });

  it.each(['avatar', 'game-character'])(
    'draws a person for an unknown subject with the preset %s',
    (name) => {
      expect(showsPerson(draw(expand(name, 'A friendly barista')))).toBe(true);
    },
  );

  it.each(['A lighthouse in a storm, oil on canvas', '海边的灯塔', 'маяк на скале'])(
    'the studio draws a lighthouse if the prompt names one: %s',
    (prompt) => {
      expect(showsLighthouse(draw(prompt))).toBe(true);
    },
  );

  it('draws the mark of offline images on every image', () => {
    for (const prompt of ['mountain lake', 'a fox', 'abstract'])
      expect(draw(prompt)).toContain('data-mark="offline"');
  });
});
