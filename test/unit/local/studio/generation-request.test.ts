import { describe, expect, it } from 'vitest';
import { readGenerationRequest } from '../../../../src/local/studio/generation-request.ts';
import { StudioRefusal } from '../../../../src/local/studio/refusals.ts';

function failureOf(body: Record<string, unknown>): StudioRefusal {
  try {
    readGenerationRequest(body);
  } catch (error) {
    if (error instanceof StudioRefusal) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(body)}`);
}

describe('a studio request for images', () => {
  it('accepts a request with only a prompt and resolves every auto value', () => {
    expect(readGenerationRequest({ prompt: 'a cat' })).toMatchObject({
      n: 1,
      width: 1024,
      height: 1024,
      quality: 'medium',
      background: 'opaque',
      format: 'png',
      stream: false,
    });
  });

  it.each([
    ['1536x1024', 1536, 1024],
    ['3840x2160', 3840, 2160],
    ['1440x480', 1440, 480],
  ])('the studio generates an image in the requested size: %s', (size, width, height) => {
    expect(readGenerationRequest({ prompt: 'a', model: 'gpt-image-2', size })).toMatchObject({
      width,
      height,
    });
  });

  it('counts the length of a prompt in characters instead of UTF-16 units', () => {
    expect(readGenerationRequest({ prompt: '🐈'.repeat(32_000) }).n).toBe(1);
    expect(failureOf({ prompt: '🐈'.repeat(32_001) }).code).toBe('string_above_max_length');
  });

  it.each([
    [{}, 'prompt', 'missing_required_parameter'],
    [{ prompt: '' }, 'prompt', 'empty_string'],
    [{ prompt: 5 }, 'prompt', 'invalid_type'],
    [{ prompt: 'a', response_format: 'url' }, 'response_format', 'unknown_parameter'],
    [{ prompt: 'a', style: 'vivid' }, 'style', 'unknown_parameter'],
    [{ prompt: 'a', n: 0 }, 'n', 'integer_below_min_value'],
    [{ prompt: 'a', n: 11 }, 'n', 'integer_above_max_value'],
    [{ prompt: 'a', n: 1.5 }, 'n', 'invalid_type'],
    [{ prompt: 'a', size: '1000x1000' }, 'size', 'invalid_value'],
    [{ prompt: 'a', size: '256x256' }, 'size', 'invalid_value'],
    [{ prompt: 'a', size: '3856x2160' }, 'size', 'invalid_value'],
    [{ prompt: 'a', size: '3840x1024' }, 'size', 'invalid_value'],
    [{ prompt: 'a', size: '3840x3840' }, 'size', 'invalid_value'],
    [{ prompt: 'a', size: 'big' }, 'size', 'invalid_value'],
    [{ prompt: 'a', size: '2048x2048', model: 'gpt-image-1.5' }, 'size', 'invalid_value'],
    [{ prompt: 'a', quality: 'hd' }, 'quality', 'invalid_value'],
    [{ prompt: 'a', quality: 'max', model: 'gpt-image-2' }, 'quality', 'invalid_value'],
    [{ prompt: 'a', output_format: 'bmp' }, 'output_format', 'invalid_value'],
    [{ prompt: 'a', frame_count: 2 }, 'frame_count', 'invalid_value'],
    [{ prompt: 'a', output_format: 'gif', frame_count: 0 }, 'frame_count', 'integer_below_min_value'],
    [{ prompt: 'a', background: 'transparent', output_format: 'jpeg' }, 'background', 'invalid_value'],
    [{ prompt: 'a', output_compression: 50 }, 'output_compression', 'invalid_value'],
    [{ prompt: 'a', partial_images: 2 }, 'partial_images', 'invalid_value'],
    [{ prompt: 'a', stream: 'yes' }, 'stream', 'invalid_type'],
  ])('refuses a request with 400 and names the parameter: %j', (body, param, code) => {
    expect(failureOf(body)).toMatchObject({ status: 400, type: 'invalid_request_error', param, code });
  });

  it('refuses a model that was shut down with 404', () => {
    expect(failureOf({ prompt: 'a', model: 'dall-e-3' })).toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });
});

describe('a studio request for a drawing or an animation', () => {
  it.each([
    [{ prompt: 'a', output_format: 'svg' }, 'svg.model', 'missing_required_parameter'],
    [{ prompt: 'a', svg: { model: 'm' } }, 'svg', 'invalid_value'],
    [{ prompt: 'a', output_format: 'svg', svg: 'm' }, 'svg', 'invalid_type'],
    [{ prompt: 'a', output_format: 'svg', svg: { model: 5 } }, 'svg.model', 'invalid_type'],
    [{ prompt: 'a', output_format: 'svg', svg: { model: 'm', size: 1 } }, 'svg.size', 'unknown_parameter'],
    [
      { prompt: 'a', output_format: 'svg', svg: { model: 'm', reasoning: { effort: 'huge' } } },
      'svg.reasoning.effort',
      'invalid_value',
    ],
    [
      { prompt: 'a', output_format: 'svg', svg: { model: 'm' }, model: 'gpt-image-2' },
      'output_format',
      'invalid_value',
    ],
    [{ prompt: 'a', output_format: 'svg', svg: { model: 'm' }, n: 2 }, 'n', 'invalid_value'],
    [{ prompt: 'a', output_format: 'svg', svg: { model: 'm' }, stream: true }, 'stream', 'invalid_value'],
    [{ prompt: 'a', output_format: 'gif', stream: true }, 'stream', 'invalid_value'],
    [{ prompt: 'a', output_format: 'gif', output_compression: 50 }, 'output_compression', 'invalid_value'],
  ])('names the parameter that %j has wrong: %s, %s', (body, param, code) => {
    expect(failureOf(body)).toMatchObject({ status: 400, param, code });
  });
});
