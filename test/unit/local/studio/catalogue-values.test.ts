import { describe, expect, it } from 'vitest';
import { asEdit } from '../../../../src/local/studio/edits/edit-request.ts';
import { readGenerationRequest } from '../../../../src/local/studio/generation-request.ts';
import { builtInCatalogue } from '../../../support/catalogue.ts';

/** The studio takes everything that the catalogue offers, so that every request can be tried offline. */

const models = builtInCatalogue().models.filter(({ status }) => status !== 'retired');
const input = { source: '', width: 64, height: 64, sample: Buffer.alloc(0) };
const inputs = { images: [input], mask: null, markup: null } as const;

const neededBy: Record<string, object> = { svg: { svg: { model: 'gpt-5.4' } } };

describe.each(models)('the studio', (model) => {
  const fields: readonly (readonly [field: string, values: readonly unknown[]])[] = [
    ['size', model.sizes],
    ['quality', model.qualities],
    ['complexity', model.complexities],
    ['background', model.backgrounds],
    ['moderation', model.moderations],
    ['output_format', model.output_formats],
    ['n', [1, model.max_n]],
  ];
  const values = fields.flatMap(([field, all]) => all.map((value) => ({ [field]: value })));
  const bodies = values.map((fields) => {
    const format = 'output_format' in fields ? String(fields.output_format) : '';
    return { prompt: 'a cat', ...fields, ...neededBy[format] };
  });

  it.each([model.id, ...model.aliases])('takes every value that the catalogue offers for %s', (name) => {
    for (const body of bodies) {
      expect(() => readGenerationRequest({ ...body, model: name }), JSON.stringify(body)).not.toThrow();
      if (model.edits) {
        expect(() => asEdit({ ...body, model: name }, inputs), JSON.stringify(body)).not.toThrow();
      }
    }
    for (const fidelity of model.input_fidelities) {
      expect(() => asEdit({ prompt: 'a', model: name, input_fidelity: fidelity }, inputs)).not.toThrow();
    }
    for (const effort of model.svg_efforts) {
      const svg = { model: 'gpt-5.4', reasoning: { effort } };
      const body = { prompt: 'a cat', model: name, output_format: 'svg', svg };
      expect(() => readGenerationRequest(body), effort).not.toThrow();
    }
  });
});
