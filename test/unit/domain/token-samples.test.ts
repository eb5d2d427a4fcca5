import { describe, expect, it } from 'vitest';
import { sampleKind } from '../../../src/domain/token-samples.ts';
import { requestOf } from '../../support/jobs.ts';

const kindOf = (fields: object, roles: string[] = []) =>
  sampleKind(
    'm',
    requestOf(fields),
    roles.map((role) => ({ role })),
  );

describe('the kind of an image', () => {
  it('is the same for requests that differ only in fields without an influence on tokens', () => {
    const same = {
      size: 'auto',
      quality: 'auto',
      prompt: 'b',
      n: 7,
      metadata: { a: 'b' },
      partial_images: 0,
      provider_options: { user: 'u-1' },
    };
    expect(kindOf(same)).toBe(kindOf({ size: 'auto', prompt: 'a' }));
  });

  it('differs by everything else that decides the tokens', () => {
    const kinds = [
      kindOf({}),
      kindOf({ quality: 'low' }),
      kindOf({ size: '2048x1024' }),
      kindOf({ partial_images: 2 }),
      kindOf({ complexity: 'low' }),
      kindOf({}, ['image']),
      kindOf({}, ['image', 'image']),
      kindOf({}, ['image', 'mask']),
      kindOf({ input_fidelity: 'high' }, ['image']),
      kindOf({ provider_options: { thinking: 'deep' } }),
      kindOf({ provider_options: { seed: 1 } }),
    ];
    expect(new Set(kinds).size).toBe(kinds.length);
  });

  it('names options of the provider in any sequence, and has a limited length', () => {
    const optionsOf = (names: readonly string[]) =>
      kindOf({ provider_options: Object.fromEntries(names.map((name) => [name, 1])) });
    expect(optionsOf(['a', 'b'])).toBe(optionsOf(['b', 'a']));
    expect(optionsOf(Array.from({ length: 500 }, (_, no) => `option ${no}`)).length).toBeLessThan(300);
  });
});
