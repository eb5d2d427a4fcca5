import { describe, expect, it } from 'vitest';
import { attemptStates } from '../../../src/domain/attempt.ts';
import { previewKeyOf, storageKeysOf } from '../../../src/domain/image.ts';
import { attemptOf, imageOf, previewOf } from '../../support/jobs.ts';

const job = { tenant: 'acme', id: 'img_1' };

describe('the keys under which the storage may hold bytes of a job', () => {
  it('lists the keys of the images of a job and of their thumbnails, recorded or not', () => {
    const images = [imageOf(job, 0), imageOf(job, 1)];
    expect(
      storageKeysOf({ ...job, images, attempts: [attemptOf(), attemptOf({ no: 2, index: 1 })] }),
    ).toEqual([
      'acme/img_1/0.png',
      'acme/img_1/1.png',
      'acme/img_1/0-thumbnail.webp',
      'acme/img_1/1-thumbnail.webp',
    ]);
  });

  it.each(attemptStates)(
    'lists the keys of a call that is %s, unless its bytes are recorded or it had none',
    (state) => {
      const attempts = [attemptOf({ no: 3, index: 1, state, startedAt: 36 })];
      const keys = storageKeysOf({ ...job, images: [], attempts });
      const isKnown = ['stored', 'rejected', 'unusable'].includes(state);
      expect(keys).toEqual(
        isKnown
          ? []
          : ['png', 'jpg', 'webp', 'gif', 'svg'].map((extension) => `acme/img_1/1-3-10.${extension}`),
      );
    },
  );

  it('lists the keys of an attempt whose kind and state only a newer release knows', () => {
    const attempts = [attemptOf({ no: 2, kind: 'edit', state: 'screened', startedAt: 36 })];
    expect(storageKeysOf({ ...job, images: [], attempts })).toContain('acme/img_1/0-2-10.png');
  });

  it('lists renditions recorded by a newer release, but no key outside the folder of the job', () => {
    const image = {
      ...imageOf(job),
      variants: { webp: { storageKey: 'acme/img_1/0.small.webp' } },
      source: 'acme/img_2/0.png',
      odd: ['acme/img_1/../img_2/0.png', 'acme/img_1/', 7, null],
    };
    expect(storageKeysOf({ ...job, images: [image], attempts: [] })).toEqual([
      'acme/img_1/0.png',
      'acme/img_1/0.small.webp',
      'acme/img_1/0-thumbnail.webp',
    ]);
  });

  it('lists the keys of all previews that calls may have stored, recorded or not, in any state', () => {
    const attempts = [
      attemptOf({ no: 1, state: 'rejected', partialImages: 2 }),
      attemptOf({ no: 2 }),
      attemptOf({ no: 3 }),
    ];
    const previews = [
      previewOf(job, { index: 0, partial: 0, no: 2 }),
      previewOf(job, { index: 1, partial: 2, no: 9 }),
    ];
    expect(storageKeysOf({ ...job, images: [], attempts, previews })).toEqual([
      ...previews.map(({ storageKey }) => storageKey),
      ...[0, 1, 2].map((partial) => previewKeyOf(job, attemptOf(), partial)),
    ]);
  });

  it('lists no key for a description', () => {
    expect(
      storageKeysOf({ ...job, images: [], attempts: [attemptOf({ kind: 'enhance', state: 'uncertain' })] }),
    ).toEqual([]);
  });
});
