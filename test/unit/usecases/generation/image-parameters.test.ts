import { describe, expect, it } from 'vitest';
import { imageParameters } from '../../../../src/usecases/generation/image-parameters.ts';
import { requestOf } from '../../../support/jobs.ts';

describe('the parameters of one image', () => {
  it('contains the provider names and values, and no field that is meant for Darkroom', () => {
    const request = requestOf({
      n: 5,
      quality: 'low',
      output_format: 'webp',
      output_compression: 0,
      enhance: 'always',
      metadata: { a: 'b' },
      webhook: { url: 'https://a.example' },
      max_cost_micro_usd: 1,
    });
    expect(imageParameters(request)).toEqual({
      size: '1024x1024',
      quality: 'low',
      output_format: 'webp',
      output_compression: 0,
    });
  });

  it('contains every field of the provider as the caller sent it', () => {
    const fields = {
      size: '1024x1024',
      quality: 'xhigh',
      complexity: 'low',
      background: 'opaque',
      moderation: 'low',
      output_format: 'gif',
      output_compression: 80,
      frame_count: 4,
      frame_duration_ms: 120,
      svg: { model: 'gpt-5.4', reasoning: { effort: 'low' } },
      input_fidelity: 'high',
      partial_images: 2,
    };
    expect(imageParameters(requestOf(fields))).toEqual(fields);
  });

  it('contains provider_options unchanged, which never replace a field of the request', () => {
    const provider_options = { style: 'vivid', nested: { list: [1, null] }, size: '1x1' };
    expect(imageParameters(requestOf({ provider_options }))).toEqual({
      style: 'vivid',
      nested: { list: [1, null] },
      size: '1024x1024',
    });
  });

  it('contains the safety identifier instead of an id of an end user', () => {
    const named = { safety_identifier: 'user-1', provider_options: { user: 'user-1' } };
    expect(imageParameters(requestOf(named), 'hash')).toEqual({
      size: '1024x1024',
      safety_identifier: 'hash',
    });
    expect(imageParameters(requestOf(named))).toEqual({ size: '1024x1024' });
  });

  it('returns no parameters for an erased job', () => {
    expect(imageParameters(undefined)).toEqual({});
  });
});
