import { describe, expect, it } from 'vitest';
import type { ImageJob, Model, Preset } from '../../../console/src/api/types.ts';
import { emptyForm, requestOf } from '../../../console/src/screens/playground/form.ts';
import { differencesOf, formOf, withInputs } from '../../../console/src/screens/playground/reuse.ts';
import { CatalogueModel } from '../../../src/domain/catalogue-file.ts';

const model = {
  ...CatalogueModel.parse({
    id: 'm',
    aliases: ['m-latest'],
    status: 'current',
    sizes: ['auto', '1024x1024'],
    qualities: ['auto', 'low'],
    output_formats: ['png', 'webp', 'gif'],
    free_sizes: { multiple_of: 16, min_pixels: 655_360, max_pixels: 8_294_400, max_edge: 3840, max_ratio: 3 },
    max_n: 4,
    partial_images: { max: 3, tokens: 100 },
  }),
  object: 'model',
} as unknown as Model;
const preset = { name: 'avatar', variables: {} } as unknown as Preset;
const catalogue = { models: [model], presets: [preset] };
const filled = {
  prompt: 'A fox',
  model: 'm',
  n: 1,
  size: 'auto',
  enhance: 'off',
  priority: 'normal',
  queue_ttl_s: 60,
  run_timeout_s: 60,
} as const;
const request = (changes: object = {}) => ({ ...filled, ...changes }) as unknown as ImageJob['request'];
/** Returns the request of the filled form, with the defaults of the service. */
const again = (changes: object) => ({ ...filled, ...requestOf(formOf(request(changes), catalogue)) });
const missing = (changes: object) => differencesOf(request(changes), again(changes), catalogue.models);

describe('the form with the request of a job', () => {
  it('a plain request fills only what differs from the defaults', () => {
    expect(requestOf(formOf(request(), catalogue))).toEqual({ prompt: 'A fox', model: 'm' });
    expect(missing({})).toEqual([]);
  });

  it('every value of the form returns as the same request', () => {
    const changes = {
      n: 3,
      size: '1280x720',
      quality: 'low',
      partial_images: 2,
      enhance: 'always',
      output_format: 'webp',
      preset: { name: 'avatar', variables: { style: 'flat' } },
      max_cost_micro_usd: 123_457,
      webhook: { url: 'https://example.com/hook' },
      metadata: { campaign: 'spring', empty: '' },
    };
    expect(again(changes)).toEqual({ ...filled, ...changes });
    expect(missing(changes)).toEqual([]);
  });

  it('an alias of a model and a preset without variables are the same request', () => {
    expect(
      missing({ model: 'm-latest', preset: { name: 'avatar' }, partial_images: 0, metadata: {} }),
    ).toEqual([]);
  });

  it.each([
    [
      'a format that the form lacks',
      { output_format: 'gif', frame_count: 4 },
      ['output_format', 'frame_count'],
    ],
    ['events of a webhook', { webhook: { url: 'https://a.b', events: ['image.*'] } }, ['webhook.events']],
    ['a time in the queue', { queue_ttl_s: 5 }, ['queue_ttl_s']],
    ['options of the provider', { provider_options: { seed: 1 } }, ['provider_options']],
    ['an unknown preset', { preset: 'gone' }, ['preset.name']],
    ['a model that is not offered', { model: 'old' }, ['model']],
    [
      'a text that metadata of the form cannot have',
      { metadata: { 'a=b': 'c' } },
      ['metadata.a=b', 'metadata.a'],
    ],
  ])('%s is named', (_what, changes, names) => {
    const made = { ...again(changes), ...('model' in changes ? { model: 'm' } : {}) };
    expect(differencesOf(request(changes), made, catalogue.models)).toEqual(names);
  });
});

describe('the inputs of a job in the form', () => {
  const found = (id: string) => ({ name: id, previewUrl: null, source: { upload_id: id } });
  const inputs = [{ role: 'image' }, { role: 'image' }, { role: 'mask' }] as const;

  it('available inputs are used again with their mask', () => {
    const { form, missing: gone } = withInputs(emptyForm, inputs, [found('a'), found('a'), found('m')]);
    expect(form.inputs.map(({ source }) => source)).toEqual([{ upload_id: 'a' }, { upload_id: 'a' }]);
    expect(new Set(form.inputs.map(({ key }) => key)).size).toBe(2);
    expect(form.mask?.source).toEqual({ upload_id: 'm' });
    expect(gone).toEqual([]);
  });

  it('an input that is gone is named, and a mask without its image too', () => {
    expect(withInputs(emptyForm, inputs, [found('a'), null, found('m')])).toMatchObject({
      form: { mask: { source: { upload_id: 'm' } } },
      missing: ['images[1]'],
    });
    expect(withInputs(emptyForm, inputs, [null, found('b'), found('m')])).toMatchObject({
      form: { mask: null },
      missing: ['images[0]', 'mask'],
    });
    expect(withInputs(emptyForm, [{ role: 'markup' }], [found('k')]).missing).toEqual(['markup']);
  });
});
