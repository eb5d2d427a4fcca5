import { describe, expect, it } from 'vitest';
import {
  type InputImage,
  type InputName,
  inputFieldIssues,
  parentsOf,
  roleIssues,
} from '../../../src/domain/input-image.ts';

const images = (count: number): InputName[] =>
  Array.from({ length: count }, (_, index) => ({ role: 'image', index }));
const mask: InputName = { role: 'mask', index: 0 };
const markup: InputName = { role: 'markup', index: 0 };

describe('the roles of inputs', () => {
  it('accepts 16 images with a mask or a markup', () => {
    expect(roleIssues([...images(16), mask])).toEqual([]);
    expect(roleIssues([...images(1), markup])).toEqual([]);
    expect(roleIssues([])).toEqual([]);
  });

  it.each<[string, readonly InputName[], readonly string[]]>([
    ['17 images', images(17), ['/images']],
    ['two masks', [...images(1), mask, { ...mask, index: 1 }], ['/mask']],
    ['a mask without images', [mask], ['/mask']],
    ['a markup without images', [markup], ['/markup']],
    ['a mask together with a markup', [...images(1), mask, markup], ['/markup']],
  ])('reports %s', (_name, roles, pointers) => {
    expect(roleIssues(roles).map(({ pointer }) => pointer)).toEqual(pointers);
  });
});

describe('the fields of an input', () => {
  it('accepts each origin alone, and an index of an earlier job', () => {
    const each: InputImage[] = [
      { url: 'https://a.example/a.png' },
      { upload_id: 'upl_1' },
      { data: 'AAAA' },
      { image_id: 'img_1', index: 2 },
    ];
    expect(inputFieldIssues({ images: each, mask: each[1] })).toEqual([]);
  });

  it('reports every input without exactly one origin, and an index without a job, at its own field', () => {
    const issues = inputFieldIssues({
      images: [{}, { upload_id: 'upl_1' }, { upload_id: 'upl_1', index: 0 }],
      mask: { url: 'https://a.example/a.png', data: 'AAAA' },
      markup: {},
    });
    expect(issues.map(({ pointer }) => pointer)).toEqual([
      '/images/0',
      '/images/2/index',
      '/mask',
      '/markup',
    ]);
  });
});

describe('the origin of a job', () => {
  it('names its parent and the jobs and uploads of its inputs, each once', () => {
    const inputs = [
      { ...mask, source: { type: 'upload', uploadId: 'upl_1' } },
      { role: 'image', index: 0, source: { type: 'image', imageId: 'img_1', index: 0 } },
      { role: 'image', index: 1, source: { type: 'data' } },
    ];
    expect(parentsOf({ parentId: 'img_1', inputs })).toEqual(['img_1', 'upl_1']);
    expect(parentsOf({})).toEqual([]);
  });
});
