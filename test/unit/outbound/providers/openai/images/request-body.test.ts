import { describe, expect, it } from 'vitest';
import type { ImageCall } from '../../../../../../src/domain/ports.ts';
import {
  backgroundBody,
  imagesBody,
} from '../../../../../../src/outbound/providers/openai/images/request-body.ts';

const call = (parameters: ImageCall['parameters']): ImageCall => ({
  model: 'gpt-image-2',
  prompt: ' Ein Fuchs 🦊,\n„wörtlich“ ',
  parameters,
});
const output = {
  size: '1536x1024',
  quality: 'high',
  background: 'opaque',
  moderation: 'low',
  output_format: 'webp',
  output_compression: 80,
};
const notTheirs = { model: 'other', prompt: 'other', n: 4, stream: true, partial_images: 0 };

describe('the request for an image', () => {
  it('sends every parameter to the Images API, and none that Darkroom decides', () => {
    const { model, prompt } = call({});
    expect(imagesBody(call({ ...output, ...notTheirs, safety_identifier: 'u', new_one: 1 }))).toEqual({
      ...output,
      safety_identifier: 'u',
      new_one: 1,
      model,
      prompt,
      n: 1,
    });
  });

  it('requests previews as a stream', () => {
    expect(imagesBody(call({ ...output, partial_images: 2 }))).toMatchObject({
      ...output,
      stream: true,
      partial_images: 2,
    });
  });

  it('sends the prompt verbatim to the Responses API, with one background use of the image tool', () => {
    const { prompt } = call({});
    const parameters = { ...output, ...notTheirs, type: 'web_search', new_one: 1 };
    expect(backgroundBody(call({ ...parameters, safety_identifier: 'u' }), 'gpt-5.4-mini')).toEqual({
      model: 'gpt-5.4-mini',
      input: prompt,
      background: true,
      store: true,
      tools: [{ ...output, new_one: 1, type: 'image_generation', model: 'gpt-image-2' }],
      tool_choice: { type: 'image_generation' },
      max_tool_calls: 1,
      parallel_tool_calls: false,
      safety_identifier: 'u',
    });
  });
});
