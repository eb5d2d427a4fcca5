import { describe, expect, it } from 'vitest';
import { CatalogueModel } from '../../../src/domain/catalogue-file.ts';
import { checkModeratedInputs, editIssues, maxModeratedBytes } from '../../../src/domain/edit-rules.ts';
import type { ImageRequest } from '../../../src/domain/image-request.ts';
import type { InputName } from '../../../src/domain/input-image.ts';
import { requestOf } from '../../support/jobs.ts';

type Fields = Partial<ImageRequest>;
const image: InputName = { role: 'image', index: 0 };
const second: InputName = { role: 'image', index: 1 };
const mask: InputName = { role: 'mask', index: 0 };
const markup: InputName = { role: 'markup', index: 0 };

const modelOf = (fields: object = {}) => CatalogueModel.parse({ id: 'm', status: 'current', ...fields });
const issuesOf = (fields: Fields, inputs: readonly InputName[], model = modelOf()) =>
  editIssues(requestOf(fields), model, inputs);

describe('the rules of edits', () => {
  it('accepts a generation, and an edit with a mask', () => {
    expect(issuesOf({ moderation: 'low' }, [])).toEqual([]);
    expect(issuesOf({}, [image, second, mask])).toEqual([]);
    expect(issuesOf({ moderation: 'low' }, [image, mask])).toEqual([]);
    expect(issuesOf({}, [image, markup], modelOf({ edits: { markup: true } }))).toEqual([]);
    const withFidelities = modelOf({ input_fidelities: ['low', 'high'] });
    expect(issuesOf({ input_fidelity: 'high' }, [image], withFidelities)).toEqual([]);
  });

  it.each<[string, Fields, readonly InputName[], object, string, string]>([
    ['a fidelity without inputs', { input_fidelity: 'low' }, [], {}, '/input_fidelity', 'is for edits only'],
    ['a model that edits nothing', {}, [image], { edits: null }, '/images', 'm does not edit images'],
    [
      'more images than the model takes',
      {},
      [image, second],
      { edits: { max_images: 1 } },
      '/images',
      'at most 1 for m',
    ],
    ['a mask that the model does not take', {}, [image, mask], { edits: { mask: false } }, '/mask', 'm does'],
    ['a markup that the model does not take', {}, [image, markup], {}, '/markup', 'm does not take'],
    ['a mask for an animation', { output_format: 'gif' }, [image, mask], {}, '/mask', 'output_format gif'],
    ['a fidelity of another model', { input_fidelity: 'low' }, [image], {}, '/input_fidelity', 'm does not'],
    [
      'an unknown fidelity',
      { input_fidelity: 'max' },
      [image],
      { input_fidelities: ['low', 'high'] },
      '/input_fidelity',
      'must be one of low, high',
    ],
    [
      'moderation with a markup',
      { moderation: 'low' },
      [image, markup],
      { edits: { markup: true } },
      '/moderation',
      'combined with markup',
    ],
  ])('reports %s, alone and at its field', (_name, fields, inputs, model, pointer, detail) => {
    expect(issuesOf(fields, inputs, modelOf(model))).toEqual([
      { pointer, detail: expect.stringContaining(detail) },
    ]);
  });

  it('accepts inputs with moderation that fit the JSON form of the provider, and refuses larger ones', () => {
    const facts = { contentType: 'image/png', width: 1, height: 1, sha256: '', source: { type: 'data' } };
    const inputOf = (sizeBytes: number) => [{ ...image, ...facts, sizeBytes }];
    const check = (fields: Fields, sizeBytes: number) => () =>
      checkModeratedInputs(requestOf(fields), inputOf(sizeBytes));
    expect(check({ moderation: 'low' }, maxModeratedBytes)).not.toThrow();
    expect(check({}, maxModeratedBytes + 1)).not.toThrow();
    expect(check({ moderation: 'low' }, maxModeratedBytes + 1)).toThrow(/images\/0 must have at most/);
    expect(4 * Math.ceil(maxModeratedBytes / 3) + 'data:image/jpeg;base64,'.length).toBeLessThan(20_971_520);
  });
});
