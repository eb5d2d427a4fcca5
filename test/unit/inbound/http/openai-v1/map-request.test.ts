import { describe, expect, it } from 'vitest';
import { withoutNulls } from '../../../../../src/inbound/http/openai-v1/generation-body.ts';
import { mapRequest } from '../../../../../src/inbound/http/openai-v1/map-request.ts';
import { createModelMap } from '../../../../../src/inbound/http/openai-v1/model-map.ts';

const catalogue = {
  isUsable: (name: string) => name === 'gpt-image-2.6-flare',
  takesFidelity: (name: string | undefined) => name === 'gpt-image-1.5',
};
const noMap = createModelMap([], catalogue);

describe('mapRequest', () => {
  it('passes every current field on unchanged and without a warning', () => {
    const body = {
      prompt: 'A fox',
      model: 'gpt-image-2.6-flare',
      n: 2,
      size: '1536x1024',
      quality: 'xhigh',
      complexity: 'low',
      background: 'opaque',
      moderation: 'low',
      output_format: 'webp',
      output_compression: 80,
      safety_identifier: 'user-hash',
      frame_count: 4,
      frame_duration_ms: 120,
      svg: { model: 'gpt-5.4', reasoning: { effort: 'low' } },
      partial_images: 0,
    };
    expect(mapRequest(body, noMap)).toEqual({
      body,
      form: { format: 'b64_json', stream: false },
      requestedModel: 'gpt-image-2.6-flare',
      warnings: [],
    });
  });

  it('replaces the values of earlier model families and reports each replacement', () => {
    const mapped = mapRequest(
      {
        prompt: 'A fox',
        size: '1792x1024',
        quality: 'hd',
        style: 'vivid',
        user: 'u1',
        response_format: 'url',
      },
      noMap,
    );
    expect(mapped.body).toEqual({
      prompt: 'A fox',
      size: '1536x1024',
      quality: 'high',
      safety_identifier: 'u1',
    });
    expect(mapped.form).toEqual({ format: 'url', stream: false });
    expect(mapped.warnings).toEqual([
      'style has no effect on current models and was ignored.',
      'user was passed on as safety_identifier.',
      'size 1792x1024 was replaced by 1536x1024.',
      'quality hd was replaced by high.',
    ]);
  });

  it.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'])(
    'passes the unknown value %s on unchanged, so that the catalogue refuses it',
    (name) => {
      const body = { prompt: 'A fox', size: name, quality: name };
      expect(mapRequest(body, noMap)).toMatchObject({ body, warnings: [] });
    },
  );

  it('requests previews for a stream, and ignores them with a warning for any other response', () => {
    const body = { prompt: 'A fox', partial_images: 2 };
    expect(mapRequest({ ...body, stream: true }, noMap)).toMatchObject({
      body,
      form: { stream: true },
      warnings: [],
    });
    expect(mapRequest(body, noMap)).toMatchObject({
      body: { prompt: 'A fox' },
      warnings: ['partial_images was ignored, because only a stream can send them.'],
    });
    expect(mapRequest(body, noMap).body).not.toHaveProperty('partial_images');
  });

  it('maps a model name of the map to its model, and reports it', () => {
    const models = createModelMap([{ name: 'dall-e-3', model: 'gpt-image-2.6-flare' }], catalogue);
    const mapped = mapRequest({ prompt: 'A fox', model: 'dall-e-3' }, models);
    expect(mapped.body.model).toBe('gpt-image-2.6-flare');
    expect(mapped.requestedModel).toBe('dall-e-3');
    expect(mapped.warnings).toEqual(['model dall-e-3 was replaced by gpt-image-2.6-flare.']);
  });
});

describe('input_fidelity', () => {
  const models = createModelMap([{ name: '*', model: 'default' }], catalogue);
  const edit = { prompt: 'A fox', input_fidelity: 'high' };

  it('is ignored with a warning if the map replaced the model by one that does not take it', () => {
    const mapped = mapRequest({ ...edit, model: 'gpt-image-1' }, models);
    expect(mapped.body).toEqual({ prompt: 'A fox' });
    expect(mapped.warnings).toContain(
      'input_fidelity was ignored, because the model that is used does not take it.',
    );
  });

  it('is passed on to the model that the caller named, so that a mistake is refused', () => {
    const body = { ...edit, model: 'gpt-image-2.6-flare' };
    expect(mapRequest(body, models)).toMatchObject({ body, warnings: [] });
  });
});

describe('createModelMap', () => {
  it('leaves an unknown name as it is without an entry for every name', () => {
    expect(noMap.resolve('dall-e-2')).toBe('dall-e-2');
  });

  it('maps every unusable name by the entry *, and leaves usable names alone', () => {
    const models = createModelMap([{ name: '*', model: 'default' }], catalogue);
    expect(models.resolve('dall-e-2')).toBeUndefined();
    expect(models.resolve('gpt-image-2.6-flare')).toBe('gpt-image-2.6-flare');
  });

  it('prefers an exact entry to a usable name of the catalogue', () => {
    const models = createModelMap([{ name: 'gpt-image-2.6-flare', model: 'other' }], catalogue);
    expect(models.resolve('gpt-image-2.6-flare')).toBe('other');
  });
});

describe('withoutNulls', () => {
  it('removes null members at every depth and nothing else', () => {
    expect(withoutNulls({ a: null, b: { c: null, d: 0, e: '' }, f: [1, { g: null }], h: false })).toEqual({
      b: { d: 0, e: '' },
      f: [1, {}],
      h: false,
    });
  });
});
