import { describe, expect, it } from 'vitest';
import type { ImageJob, Model } from '../../../console/src/api/types.ts';
import { exampleOf, highlight } from '../../../console/src/screens/playground/code-examples.ts';
import { fieldErrors } from '../../../console/src/screens/playground/field-errors.ts';
import {
  customSizeFault,
  emptyForm,
  faultOf,
  fitToModel,
  isComplete,
  metadataOf,
  requestOf,
} from '../../../console/src/screens/playground/form.ts';
import { paintedPercent, rectangleFrom } from '../../../console/src/screens/playground/mask-shapes.ts';
import { addEvent, newProgress, slotsOf, stepsOf } from '../../../console/src/screens/playground/progress.ts';
import { CatalogueModel } from '../../../src/domain/catalogue-file.ts';

const model = {
  ...CatalogueModel.parse({
    id: 'm',
    status: 'current',
    sizes: ['auto', '1024x1024'],
    qualities: ['auto', 'low'],
    free_sizes: { multiple_of: 16, min_pixels: 655_360, max_pixels: 8_294_400, max_edge: 3840, max_ratio: 3 },
    max_n: 2,
  }),
  object: 'model',
} as unknown as Model;

describe('the request of the playground form', () => {
  it('fields without a value are absent from the request', () => {
    expect(requestOf({ ...emptyForm, prompt: 'A fox' })).toEqual({ prompt: 'A fox' });
  });

  it('values become fields of the request, with variables, metadata and a limit in micro-USD', () => {
    const body = requestOf({
      ...emptyForm,
      prompt: 'A fox',
      preset: 'avatar',
      variables: { style: 'flat', palette: ' ' },
      size: 'custom',
      width: '1280',
      height: '720',
      n: 2,
      maxCost: '0.1',
      metadata: 'campaign = spring',
      inputs: [{ key: 'a', name: 'a', previewUrl: '', source: { upload_id: 'upl_1' } }],
    });
    expect(body).toEqual({
      prompt: 'A fox',
      preset: { name: 'avatar', variables: { style: 'flat' } },
      size: '1280x720',
      n: 2,
      max_cost_micro_usd: 100_000,
      metadata: { campaign: 'spring' },
      images: [{ upload_id: 'upl_1' }],
    });
    expect(metadataOf('')).toEqual({});
  });

  it.each(['abc', '0,10', '$', '1e3'])('a cost limit of %j is a fault, never no limit', (maxCost) => {
    const form = { ...emptyForm, prompt: 'A fox', maxCost };
    expect(faultOf(form)).toBe('maxCost');
    expect(isComplete(form)).toBe(false);
  });

  it('a line of the metadata without a name and a value is a fault, never left out', () => {
    expect(faultOf({ ...emptyForm, metadata: 'campaign: spring' })).toBe('metadata');
    expect(faultOf({ ...emptyForm, metadata: '=spring' })).toBe('metadata');
    expect(faultOf({ ...emptyForm, metadata: 'a = 1\n\nempty=' })).toBeNull();
    expect(faultOf({ ...emptyForm, metadata: 'a=b\na = c' })).toBe('metadata');
    expect(faultOf({ ...emptyForm, metadata: '__proto__=x' })).toBe('metadata');
  });

  it('a form is complete when it has a prompt and no file is being uploaded', () => {
    const input = { key: 'a', name: 'a', previewUrl: '', source: null };
    expect(isComplete({ ...emptyForm, prompt: ' ' })).toBe(false);
    expect(isComplete({ ...emptyForm, prompt: 'A fox', inputs: [input] })).toBe(false);
    expect(isComplete({ ...emptyForm, prompt: 'A fox' })).toBe(true);
  });

  it('a change of the model keeps the values that it allows and names the others', () => {
    const { form, reset } = fitToModel({ ...emptyForm, size: '1024x1024', quality: 'max', n: 4 }, model);
    expect(form).toMatchObject({ size: '1024x1024', quality: '', n: 2 });
    expect(reset).toEqual(['quality', 'n']);
  });

  it('a custom size that the model does not allow has a fault with the next values', () => {
    const fault = (width: string, height: string) => customSizeFault({ ...emptyForm, width, height }, model);
    expect(fault('1000', '1024')).toEqual({ kind: 'multiple', of: 16, below: 992, above: 1008 });
    expect(fault('x', '1024')).toEqual({ kind: 'number' });
    expect(fault('3856', '1600')).toEqual({ kind: 'edge', max: 3840 });
    expect(fault('3840', '1024')).toEqual({ kind: 'ratio', max: 3 });
    expect(fault('512', '512')).toMatchObject({ kind: 'pixels' });
    expect(fault('1280', '720')).toBeNull();
  });

  it('a refusal marks the field of each pointer', () => {
    const errors = [{ pointer: '/images/0', detail: 'must be an image' }];
    const faults = fieldErrors({ problem: { errors } } as unknown as Parameters<typeof fieldErrors>[0]);
    expect(faults.get('/images')).toBe('must be an image');
  });
});

describe('the request of the playground as a program', () => {
  const example = { origin: 'http://localhost', body: { prompt: "A fox's den", n: 2 }, idempotencyKey: 'k' };

  it('curl quotes the body for the shell', () => {
    expect(exampleOf('curl', example)).toContain(String.raw`"A fox'\''s den"`);
  });

  it('JSON is the body alone', () => {
    expect(JSON.parse(exampleOf('json', example))).toEqual(example.body);
  });

  it('TypeScript and Python pass the fields and the key', () => {
    expect(exampleOf('typescript', example)).toContain("{ idempotencyKey: 'k' }");
    expect(exampleOf('python', example)).toContain('    n=2,\n    idempotency_key="k",');
    const edit = { ...example, body: { prompt: 'x', images: [{ upload_id: 'upl_1' }] } };
    expect(exampleOf('python', edit)).toContain(
      'darkroom.edit(\n    "x",\n    images=[{"upload_id": "upl_1"}],',
    );
  });

  it('colors do not change the text', () => {
    const code = exampleOf('curl', example);
    expect(
      highlight(code)
        .map(({ text }) => text)
        .join(''),
    ).toBe(code);
    expect(highlight('curl http://a "b"').map(({ kind }) => kind)).toEqual(['keyword', 'plain', 'string']);
  });
});

describe('the progress of a job in the playground', () => {
  const job = (changes: Partial<ImageJob>) =>
    ({
      id: 'img_1',
      status: 'running',
      stage: 'generating',
      created_at: '2026-01-01T00:00:00.000Z',
      started_at: '2026-01-01T00:00:01.000Z',
      finished_at: null,
      request: { n: 2 },
      images: [],
      attempts: [],
      ...changes,
    }) as unknown as ImageJob;
  const event = {
    id: 'img_1',
    type: 'image.progress',
    status: 'running',
    at: '2026-01-01T00:00:02.000Z',
  } as const;

  it('done steps keep their duration and the current one counts', () => {
    const progress = addEvent(newProgress('img_1'), { ...event, stage: 'generating' });
    const steps = stepsOf(job({}), progress, Date.parse('2026-01-01T00:00:05.000Z'));
    expect(steps.map(({ step, state, ms }) => [step, state, ms])).toEqual([
      ['queued', 'done', 1000],
      ['generating', 'current', 3000],
      ['storing', 'next', null],
      ['done', 'next', null],
    ]);
  });

  it('a preview is replaced by its image, and an image that was not made is missing', () => {
    const preview = { index: 0, partial_image_index: 0, url: '/p' } as never;
    const progress = addEvent(newProgress('img_1'), {
      ...event,
      stage: 'generating',
      partial_image: preview,
    });
    expect(slotsOf(job({}), progress).map(({ kind }) => kind)).toEqual(['preview', 'waiting']);
    const image = { index: 0, url: '/0' } as never;
    const ended = job({ status: 'succeeded', images: [image] });
    expect(slotsOf(ended, progress).map(({ kind }) => kind)).toEqual(['image', 'missing']);
  });

  it('events of other jobs change nothing', () => {
    const progress = newProgress('img_1');
    expect(addEvent(progress, { ...event, id: 'img_2', stage: null })).toBe(progress);
  });
});

describe('masks of the playground', () => {
  it('a rectangle of numbers stays within the image', () => {
    const size = { width: 100, height: 50 };
    expect(rectangleFrom({ x: '90', y: '0', width: '20', height: '50' }, size)).toEqual({
      kind: 'rectangle',
      x: 90,
      y: 0,
      width: 10,
      height: 50,
    });
    expect(rectangleFrom({ x: '', y: '0', width: '20', height: '50' }, size)).toBeNull();
    expect(rectangleFrom({ x: '100', y: '0', width: '20', height: '50' }, size)).toBeNull();
  });

  it('the painted share counts opaque pixels', () => {
    expect(paintedPercent([0, 0, 0, 255, 0, 0, 0, 0])).toBe(50);
  });
});
