import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../../src/domain/image-job.ts';
import { ImageJobView } from '../../../src/domain/job-view.ts';
import { viewJob } from '../../../src/domain/view-job.ts';
import { maxPayloadBytes, payloadText } from '../../../src/domain/webhook-payload.ts';
import { attemptOf, createdAt, finishedJob, imageOf, queuedJob } from '../../support/jobs.ts';

/** Returns a link as long as one to a bucket with temporary credentials. */
const longLink = (index: number) =>
  `https://a-bucket.s3.eu-central-1.amazonaws.com/${index}?${'X-Amz-Security-Token='.padEnd(900, 'A')}`;

const viewOf = (job: ImageJob): ImageJobView =>
  viewJob(job, {
    publicUrl: 'https://darkroom.example',
    links: new Map(job.images.map(({ index }) => [index, { url: longLink(index), expiresAtMs: createdAt }])),
    position: null,
    priceVersion: '2026-11-23',
  });

/** Returns the payload of a job, which must fit. */
function payloadOf(view: ImageJobView) {
  const text = payloadText('image.succeeded', createdAt, view);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxPayloadBytes);
  return JSON.parse(text) as { type: string; timestamp: string; data: ImageJobView; truncated?: true };
}

/** Creates a job whose texts all have the maximum length for a caller, a language model and a provider. */
function hugeJob(letter: string): ImageJob {
  const text = (codeUnits: number) => letter.repeat(Math.floor(codeUnits / letter.length));
  const queued = queuedJob({
    request: {
      prompt: text(32_000),
      n: 10,
      metadata: Object.fromEntries(Array.from({ length: 16 }, (_, i) => [text(60) + i, text(512)])),
      provider_options: { extra: text(2_000) },
      webhook: { url: `https://receiver.example/${'a'.repeat(2_000)}` },
      safety_identifier: 'a'.repeat(128),
    },
  });
  const done = finishedJob(queued);
  const images = Array.from({ length: 10 }, (_, i) => imageOf(queued, i));
  const errors = images.map(({ index }) => ({
    ...{ code: 'moderation_blocked' as const, message: text(300), billing: 'none' as const, index },
  }));
  const attempts = Array.from({ length: 40 }, (_, i) =>
    attemptOf({ no: i, providerRequestId: 'r'.repeat(60) }),
  );
  return { ...done, images, errors, attempts, enhancedPrompt: text(32_000), revisedPrompt: text(32_000) };
}

describe('the webhook payload', () => {
  it('contains type, time and the job as polling shows it, complete if it fits', () => {
    const view = viewOf(finishedJob(queuedJob({ request: { metadata: { generate: '17' } } })));
    expect(payloadOf(view)).toEqual({
      type: 'image.succeeded',
      timestamp: '2026-11-23T12:00:00.000Z',
      data: view,
    });
  });

  it('stays complete up to the last byte that fits', () => {
    const view = viewOf(finishedJob(queuedJob()));
    const space = maxPayloadBytes - Buffer.byteLength(payloadText('image.succeeded', createdAt, view));
    const filled = { ...view, warnings: ['x'.repeat(space - 2)] };
    expect(Buffer.byteLength(payloadText('image.succeeded', createdAt, filled))).toBe(maxPayloadBytes);
    expect(payloadOf(filled)).not.toHaveProperty('truncated');
    const longer = {
      ...filled,
      prompt: { ...filled.prompt, original: `${filled.prompt.original}${'x'.repeat(500)}` },
    };
    expect(payloadOf(longer)).toMatchObject({ truncated: true, data: { warnings: filled.warnings } });
  });

  it('truncates long texts first and leaves everything else unchanged', () => {
    const view = viewOf(finishedJob(queuedJob({ request: { prompt: 'A fox. '.repeat(4_000) } })));
    const { data, truncated } = payloadOf(view);
    expect(truncated).toBe(true);
    expect(data).toEqual({ ...view, request: data.request, prompt: data.prompt });
    expect(data.prompt.original).toBe(`${view.prompt.original.slice(0, 400)}…`);
    expect(data.prompt).toMatchObject({ enhanced: null, revised: null });
    expect(data.request).toEqual({ ...view.request, prompt: data.prompt.original });
  });

  it.each(['a', 'é', '夜', '🦊', '"', '\n'])(
    'fits and keeps the shape of a job if every text has its maximum length, filled with %j',
    (letter) => {
      const view = viewOf(hugeJob(letter));
      const { data, truncated } = payloadOf(view);
      expect(truncated).toBe(true);
      expect(ImageJobView.parse(data)).toEqual(data);
      expect(data).toMatchObject({ id: view.id, status: view.status, urls: view.urls, images: view.images });
      expect(Object.keys(data.metadata)).toEqual(Object.keys(view.metadata));
    },
  );

  it('never truncates inside a character', () => {
    const letters = fc.array(fc.constantFrom('a', '夜', '🦊'), { minLength: 6_000, maxLength: 9_000 });
    fc.assert(
      fc.property(letters, (some) => {
        const text = some.join('');
        const { data } = payloadOf(viewOf(finishedJob(queuedJob({ request: { prompt: text.repeat(3) } }))));
        const cut = data.prompt.original.replace(/…$/, '');
        expect(cut.isWellFormed()).toBe(true);
        expect([...cut]).toEqual([...text].slice(0, 400));
      }),
      { numRuns: 20 },
    );
  });
});
