import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ImageJob, jobError } from '../../../src/domain/image-job.ts';
import { purgeMedia } from '../../../src/domain/job-erasure.ts';
import { beginRun, enterStage, finish, requestCancel } from '../../../src/domain/job-moves.ts';
import { ImageJobView } from '../../../src/domain/job-view.ts';
import { type ViewContext, viewJob } from '../../../src/domain/view-job.ts';
import { arbitraryJob } from '../../support/arbitrary-job.ts';
import { attemptOf, createdAt, imageOf, queuedJob, retention } from '../../support/jobs.ts';
import { asNextRelease, nextRelease } from '../../support/next-release.ts';

const context: ViewContext = {
  publicUrl: 'https://darkroom.example',
  links: new Map(
    [0, 1, 2].map((i) => [i, { url: `https://s3.example/${i}`, expiresAtMs: createdAt + 9_000 }]),
  ),
  position: null,
  priceVersion: '2026-11-23',
};

const end = (job: ImageJob, status: 'succeeded' | 'failed' | 'canceled' = 'succeeded') =>
  finish(job, status, { nowMs: createdAt + 30, retention });
const running = (n = 1) => beginRun(queuedJob({ request: { n, metadata: { user: 'ada' } } }), createdAt + 10);

describe('the view of a job', () => {
  it('shows the seconds until the next try of a blocked job, and null for every other job', () => {
    const blocked = { sinceMs: createdAt, untilMs: createdAt + 29_001, scope: 'openai:account' };
    expect(viewJob({ ...queuedJob(), blocked }, context).queue.eta_s).toBe(30);
    expect(viewJob(queuedJob(), context).queue.eta_s).toBeNull();
  });

  it('shows every member in a form that the published schema allows, for any record', () => {
    const shown = ImageJobView.omit({ request: true });
    const inTime = fc.nat(4_102_444_800_000);
    fc.assert(
      fc.property(arbitraryJob, inTime, (job, at) => {
        const dated: ImageJob = JSON.parse(JSON.stringify(job), (key, value) =>
          typeof value === 'number' && /At$|^at$/.test(key) ? at : value,
        );
        const { request, ...members } = viewJob(dated, context);
        expect(shown.parse(members)).toEqual(members);
        expect(request.prompt).toBe(job.request?.prompt ?? '');
      }),
    );
  });

  it('shows the queue position of a queued job, and the cost bound with which it was accepted', () => {
    const job = { ...queuedJob({ request: { n: 2 } }), callBounds: { image: 2_000, enhance: 1_000 } };
    const view = viewJob(job, { ...context, position: 4 });
    expect(view).toMatchObject({
      status: 'queued',
      stage: null,
      started_at: null,
      images: [],
      queue: { position: 4, eta_s: null },
      cost: { micro_usd: 5_000, estimated: true, billing: 'none', price_version: '2026-11-23' },
    });
  });

  it('shows the stage and a possible charge of a running job', () => {
    const job = {
      ...enterStage(running(), 'generating', createdAt + 11),
      attempts: [attemptOf({ state: 'calling' })],
    };
    expect(viewJob(job, context)).toMatchObject({
      stage: 'generating',
      cost: { estimated: true, billing: 'possible' },
      attempts: [{ state: 'calling', finished_at: null, provider_request_id: null, cost_micro_usd: null }],
    });
  });

  it('shows images in order with a link and their path, and metadata in both fields', () => {
    const job = running(2);
    const view = viewJob(end({ ...job, images: [imageOf(job, 1), imageOf(job, 0)] }), context);
    expect(view.images.map((image) => [image.index, image.url, image.content_url])).toEqual([
      [0, 'https://s3.example/0', `/images/${job.id}/content/0`],
      [1, 'https://s3.example/1', `/images/${job.id}/content/1`],
    ]);
    expect(view.metadata).toEqual({ user: 'ada' });
    expect(view.urls.self).toBe(`https://darkroom.example/images/${job.id}`);
  });

  it('never shows storage keys, fencing tokens or the tenant of a job', () => {
    const job = running();
    const text = JSON.stringify(viewJob(end({ ...job, images: [imageOf(job)] }), context));
    expect(text).not.toMatch(/storageKey|acme|fence|version":\d/);
  });
});

describe('the cost in a view', () => {
  const costOf = (attempts: ImageJob['attempts'], status: Parameters<typeof end>[1] = 'succeeded') =>
    viewJob(end({ ...running(), attempts }, status), context).cost;

  it('sums the costs of all attempts, including refusals and enhancement', () => {
    expect(
      costOf([
        attemptOf({ no: 1, kind: 'enhance', costMicroUsd: 300 }),
        attemptOf({ no: 2, state: 'rejected' }),
        attemptOf({ no: 3, costMicroUsd: 5_970 }),
      ]),
    ).toMatchObject({ micro_usd: 6_270, estimated: false, billing: 'charged' });
  });

  it.each(['uncertain', 'unusable', 'calling', 'received', 'stored'] as const)(
    'shows an unknown cost, never 0, if one attempt is %s without an amount',
    (state) => {
      const cost = costOf([attemptOf({ no: 1, costMicroUsd: 5_970 }), attemptOf({ no: 2, state })]);
      expect(cost.micro_usd).toBeNull();
    },
  );

  it('shows the known charges of a canceled job', () => {
    expect(costOf([], 'canceled')).toMatchObject({ micro_usd: 0, billing: 'none' });
    expect(costOf([attemptOf({ state: 'rejected' })], 'canceled')).toMatchObject({
      micro_usd: 0,
      billing: 'none',
    });
    expect(costOf([attemptOf({ state: 'uncertain' })], 'canceled')).toMatchObject({
      micro_usd: null,
      billing: 'possible',
    });
    expect(costOf([attemptOf({ costMicroUsd: 5_970 })], 'canceled')).toMatchObject({
      micro_usd: 5_970,
      billing: 'charged',
    });
  });
});

describe('the view of a canceled job', () => {
  it('shows when the cancellation was requested, and no error', () => {
    const view = viewJob(end(requestCancel(running(), createdAt + 20), 'canceled'), context);
    expect(view).toMatchObject({
      status: 'canceled',
      cancel_requested_at: new Date(createdAt + 20).toISOString(),
      error: null,
    });
  });
});

describe('the view of a partial success', () => {
  const job = running(3);
  const errors = [jobError('moderation_blocked', 'none', { index: 1, stage: 'generating' })];
  const partial = end({ ...job, images: [imageOf(job, 0), imageOf(job, 2)], errors });

  it('marks a success with missing images as partial and lists their errors', () => {
    const view = viewJob(partial, context);
    expect(view).toMatchObject({ partial: true, error: null });
    expect(view.images.map((image) => image.index)).toEqual([0, 2]);
    expect(view.image_errors).toMatchObject([
      { index: 1, code: 'moderation_blocked', retryable: false, billing: 'none' },
    ]);
  });

  it('links to the first available image', () => {
    const late = end({ ...job, images: [imageOf(job, 2), imageOf(job, 1)] });
    const view = viewJob(late, context);
    expect(view.urls.content).toBe(`https://darkroom.example${view.images[0]?.content_url}`);
    expect(view.urls.content).toMatch(/\/content\/1$/);
    expect(viewJob(running(3), context).urls.content).toMatch(/\/content\/0$/);
  });

  it('does not mark a complete success as partial', () => {
    const complete = end({ ...job, images: [0, 1, 2].map((i) => imageOf(job, i)) });
    expect(viewJob(complete, context).partial).toBe(false);
  });

  it('shows no images after their removal', () => {
    const view = viewJob(purgeMedia(partial, createdAt + 99), context);
    expect(view.images).toEqual([]);
    expect(view.image_errors).toHaveLength(1);
  });
});

describe('the view of a failed job', () => {
  it('shows the error that ended the job, with the details of the provider', () => {
    const failed = finish(running(), 'failed', {
      nowMs: createdAt + 30,
      retention,
      error: jobError('moderation_blocked', 'none', {
        stage: 'generating',
        provider: { status: 400, request_id: 'req_1', categories: ['violence'] },
      }),
    });
    expect(viewJob(failed, context).error).toEqual({
      code: 'moderation_blocked',
      message: 'The provider refused the content',
      stage: 'generating',
      retryable: false,
      billing: 'none',
      index: null,
      provider: { status: 400, code: null, request_id: 'req_1', categories: ['violence'] },
    });
  });
});

describe('the provider of a job', () => {
  it.each([
    [[], null, null],
    [['openai'], 'openai', true],
    [['openai', 'studio'], 'studio', false],
    [['openai', undefined], 'openai', true],
  ])(
    'derives the provider from the last named call: calls to %j show %s and livemode %s',
    (calls, provider, livemode) => {
      const attempts = calls.map((each, i) =>
        attemptOf({ no: i + 1, ...(each === undefined ? {} : { provider: each }) }),
      );
      const view = viewJob({ ...running(), attempts }, context);
      expect(view).toMatchObject({ provider, livemode, inputs: [] });
      expect(view.attempts.map((attempt) => attempt.provider)).toEqual(calls.map((each) => each ?? null));
    },
  );
});

describe('the view of a job that a newer release wrote', () => {
  it('shows an unknown kind and state as other, a stage as null, an error code as internal', () => {
    const job = { ...asNextRelease(running()), stage: 'screening', errors: [nextRelease.error] };
    const view = viewJob(job as unknown as ImageJob, context);
    expect(view.stage).toBeNull();
    expect(view.attempts).toMatchObject([{ kind: 'other', state: 'other', error: 'internal' }]);
    expect(view.image_errors).toMatchObject([
      { code: 'internal', stage: null, billing: 'possible', retryable: true, message: 'A newer error.' },
    ]);
    expect(ImageJobView.parse(view)).toMatchObject({ cost: { billing: 'possible' } });
  });

  it.each([
    ['running', 'before its end', running()],
    ['succeeded', 'after an end with images', end({ ...running(), images: [imageOf(queuedJob())] })],
    ['failed', 'after an end without images', end(running())],
  ])('shows an unknown status as %s %s', (status, _when, job) => {
    expect(viewJob({ ...job, status: 'paused' }, context).status).toBe(status);
  });
});
