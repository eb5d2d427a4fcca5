import { describe, expect, it } from 'vitest';
import type { ImageEvent, ImageJob } from '../../../console/src/api/types.ts';
import { ancestorsOf } from '../../../console/src/screens/job/ancestors.ts';
import { isRetryable, retryBody, variationBody } from '../../../console/src/screens/job/estimate-body.ts';
import { fileNameOf } from '../../../console/src/screens/job/file-name.ts';
import { neighborInGallery, rememberOrder } from '../../../console/src/screens/job/neighbors.ts';
import { requestText } from '../../../console/src/screens/job/request-text.ts';
import { durationOf, timelineOf } from '../../../console/src/screens/job/timeline.ts';

const iso = (seconds: number) => new Date(Date.UTC(2026, 10, 29, 12, 0, seconds)).toISOString();
const ms = (seconds: number) => Date.parse(iso(seconds));
const call = (kind: string, index: number, more: object) => ({ kind, index, state: 'stored', ...more });

describe('the timeline of a job', () => {
  const job = {
    created_at: iso(0),
    started_at: iso(1),
    finished_at: iso(20),
    request: { n: 2 },
    attempts: [
      call('enhance', 0, { started_at: iso(2), finished_at: iso(4) }),
      call('generate', 0, { started_at: iso(4), finished_at: iso(12) }),
      call('generate', 1, { started_at: iso(4), finished_at: iso(9), state: 'uncertain' }),
      call('generate', 1, { started_at: iso(10), finished_at: iso(18) }),
    ],
  } as unknown as ImageJob;
  const events = [
    { stage: null, at: iso(0) },
    { stage: 'moderating', at: iso(1) },
    { stage: 'enhancing', at: iso(2) },
    { stage: 'generating', at: iso(4) },
    { stage: 'storing', at: iso(18) },
    { stage: 'storing', at: iso(19) },
    { stage: null, at: iso(20) },
  ] as ImageEvent[];
  const { rows, from, to } = timelineOf(job, events, ms(99));

  it('has a row for each stage and image, with waits, calls and doubtful calls', () => {
    expect([from, to]).toEqual([ms(0), ms(20)]);
    expect(rows.map(({ name, image, spans, hasDoubt }) => [name, image, spans.length, hasDoubt])).toEqual([
      ['queued', null, 1, false],
      ['moderating', null, 1, false],
      ['enhancing', null, 1, false],
      ['generating', 1, 1, false],
      ['generating', 2, 2, true],
      ['storing', null, 1, false],
    ]);
    expect(rows.map((row) => durationOf(row) / 1000)).toEqual([1, 1, 2, 8, 13, 2]);
  });

  it('counts a running call until now, and overlapping parts once', () => {
    const open = {
      ...job,
      finished_at: null,
      attempts: [call('generate', 0, { started_at: iso(4), finished_at: null })],
    };
    const running = timelineOf(open as unknown as ImageJob, [], ms(30));
    expect(running.to).toBe(ms(30));
    expect(running.rows.at(-1)?.spans).toEqual([{ from: ms(4), to: ms(30), kind: 'call' }]);
    const spans = [
      { from: 0, to: 10, kind: 'call' },
      { from: 5, to: 12, kind: 'call' },
    ] as const;
    expect(durationOf({ spans })).toBe(12);
  });
});

describe('the request behind an estimate', () => {
  const request = {
    prompt: 'A fox',
    model: 'm',
    n: 3,
    size: 'auto',
    webhook: { url: 'https://a' },
    metadata: {},
  };
  const job = (inputs: object[] = []) =>
    ({ id: 'img_1', request, inputs, images: [{ index: 2 }] }) as unknown as ImageJob;

  it('names the inputs of a retry again, and leaves out what costs nothing', () => {
    expect(retryBody(job())).toEqual({ prompt: 'A fox', model: 'm', n: 3, size: 'auto' });
    const inputs = [
      { role: 'image', source: { type: 'image', image_id: 'img_0', index: 1 } },
      { role: 'mask', source: { type: 'upload', upload_id: 'upl_1' } },
    ];
    expect(retryBody(job(inputs))).toMatchObject({
      images: [{ image_id: 'img_0', index: 1 }],
      mask: { upload_id: 'upl_1' },
    });
  });

  it('is unknown if the bytes of an input came with the request', () => {
    expect(retryBody(job([{ role: 'image', source: { type: 'data' } }]))).toBeNull();
  });

  it('is one image of the named image for a variation', () => {
    expect(variationBody(job(), 2, 'Warmer')).toMatchObject({
      prompt: 'Warmer',
      n: 1,
      images: [{ image_id: 'img_1', index: 2 }],
    });
  });
});

describe('the facts of a job', () => {
  it('only a job that ended without success can be retried, and never one that only enhanced a prompt', () => {
    const retryable = (status: string, n: number) =>
      isRetryable({ status, request: { n } } as unknown as ImageJob);
    expect(['failed', 'canceled', 'expired'].map((status) => retryable(status, 1))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['queued', 'running', 'succeeded'].some((status) => retryable(status, 1))).toBe(false);
    expect(retryable('failed', 0)).toBe(false);
  });

  it('ancestors are the jobs of inputs and the parent, each once', () => {
    const inputs = [{ source: { image_id: 'img_0', index: 1 } }, { source: { image_id: 'img_0', index: 2 } }];
    const job = { inputs, parent_id: 'img_0' } as unknown as ImageJob;
    expect(ancestorsOf(job)).toEqual([{ id: 'img_0', role: 'input', index: 1 }]);
    expect(ancestorsOf({ inputs: [], parent_id: 'img_7' })).toEqual([{ id: 'img_7', role: 'parent' }]);
  });

  it('the request is one text, with the size that the model chose', () => {
    const images = [{ width: 640, height: 480 }];
    const text = (request: object, made: object[] = []) =>
      requestText({ request, images: made } as unknown as ImageJob);
    expect(text({ size: '1536x1024', quality: 'high', n: 2 })).toBe('1536 × 1024, high, n = 2');
    expect(text({ size: 'auto', n: 1 }, images)).toBe('640 × 480');
    expect(text({ size: 'auto' })).toBe('auto');
  });

  it('files are named by job, index and type', () => {
    const name = (content_type: string) => fileNameOf({ id: 'img_1' }, { index: 2, content_type } as never);
    expect(['image/png', 'image/jpeg', 'image/svg+xml'].map(name)).toEqual([
      'img_1-2.png',
      'img_1-2.jpg',
      'img_1-2.svg',
    ]);
  });

  it('the order of the gallery leads to the next and the previous job', () => {
    rememberOrder(['img_3', 'img_2', 'img_1']);
    expect([neighborInGallery('img_2', 1), neighborInGallery('img_2', -1)]).toEqual(['img_1', 'img_3']);
    expect([neighborInGallery('img_1', 1), neighborInGallery('img_9', 1)]).toEqual([null, null]);
  });
});
