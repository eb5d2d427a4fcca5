import type { Enhancement } from '../../domain/enhancement.ts';
import { AppError, type ErrorCode, errorRow } from '../../domain/errors.ts';
import type { ImageJobView } from '../../domain/job-view.ts';
import { type Problem, problemOf } from './problem.ts';
import type { Example } from './request-examples.ts';

/** Examples of responses in the OpenAPI document. */

const id = 'img_01KAR3S9Z8QJ4V5W6X7Y8Z9A0B';
const publicUrl = 'https://images.example.com';
const self = `${publicUrl}/images/${id}`;

/** Succeeded job. */
export const imageJobExample: ImageJobView = {
  id,
  object: 'image_job',
  status: 'succeeded',
  stage: null,
  created_at: '2026-11-23T09:15:00.000Z',
  updated_at: '2026-11-23T09:15:31.412Z',
  started_at: '2026-11-23T09:15:00.038Z',
  finished_at: '2026-11-23T09:15:31.412Z',
  expires_at: '2026-12-23T09:15:31.412Z',
  cancel_requested_at: null,
  request: {
    prompt: 'A lighthouse in a storm, oil on canvas',
    model: 'gpt-image-2.6-flare',
    n: 1,
    size: '1536x1024',
    enhance: 'off',
    priority: 'normal',
    queue_ttl_s: 86_400,
    run_timeout_s: 1_800,
  },
  prompt: { original: 'A lighthouse in a storm, oil on canvas', enhanced: null, revised: null },
  images: [
    {
      index: 0,
      url: `${publicUrl}/files/acme/${id}/0.png?expires=1795425331&type=image%2Fpng&name=${id}-0.png&signature=kQ0v`,
      url_expires_at: '2026-11-23T10:15:31.000Z',
      content_url: `/images/${id}/content/0`,
      content_type: 'image/png',
      width: 1536,
      height: 1024,
      size_bytes: 2_481_934,
      sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      thumbhash: '1QcSHQRnh493V4dIh4eXh1h4kJUI',
      thumbnail_url:
        'https://images.example.com/files/acme/img_01KAR3S9Z8QJ4V5W6X7Y8Z9A0B/0-thumbnail.webp?expires=1&signature=abc',
      variants: {},
    },
  ],
  partial: false,
  error: null,
  image_errors: [],
  warnings: [],
  provider: 'openai',
  livemode: true,
  inputs: [],
  usage: { input_tokens: 10, output_tokens: 302, total_tokens: 312 },
  cost: { micro_usd: 9_110, estimated: false, billing: 'charged', price_version: '2026-11-23' },
  queue: { position: null, eta_s: null },
  attempts: [
    {
      kind: 'generate',
      provider: 'openai',
      index: 0,
      state: 'stored',
      started_at: '2026-11-23T09:15:00.052Z',
      finished_at: '2026-11-23T09:15:31.398Z',
      provider_request_id: 'req_5f3c9a7e12',
      error: null,
      cost_micro_usd: 9_110,
    },
  ],
  metadata: { order: '4711' },
  parent_id: null,
  urls: { self, cancel: `${self}/cancel`, events: `${self}/events`, content: `${self}/content/0` },
};

const waiting: Partial<ImageJobView> = {
  status: 'queued',
  started_at: null,
  finished_at: null,
  expires_at: null,
  images: [],
  provider: null,
  livemode: null,
  usage: null,
  cost: { micro_usd: 9_110, estimated: true, billing: 'none', price_version: '2026-11-23' },
  attempts: [],
};

const refused: Partial<ImageJobView> = {
  status: 'failed',
  images: [],
  usage: null,
  cost: { micro_usd: 0, estimated: false, billing: 'none', price_version: '2026-11-23' },
  error: {
    code: 'moderation_blocked',
    message: 'The provider refused the content.',
    stage: 'generating',
    retryable: false,
    billing: 'none',
    index: null,
    provider: {
      status: 400,
      code: 'moderation_blocked',
      request_id: 'req_5f3c9a7e12',
      categories: ['violence'],
    },
  },
  attempts: [],
};

/** Job in its typical states. */
export const imageJobExamples = {
  queued: { summary: 'A queued job', value: { ...imageJobExample, ...waiting } },
  succeeded: { summary: 'A job that succeeded', value: imageJobExample },
  failed: { summary: 'A job whose content was refused', value: { ...imageJobExample, ...refused } },
} satisfies Record<string, Example<ImageJobView>>;

/** Result of an enhancement. */
export const enhancementExample: Example<Enhancement> = {
  summary: 'A short prompt and its description',
  value: {
    object: 'enhancement',
    original: 'A lighthouse in a storm',
    enhanced:
      'A white lighthouse on a black basalt cliff in a night storm, waves breaking at its foot, its beam cutting through the rain; oil on canvas with heavy brushwork.',
    usage: { input_tokens: 318, output_tokens: 46, total_tokens: 364 },
    cost: { micro_usd: 446, estimated: false, billing: 'charged', price_version: '2026-11-23' },
  },
};

/** Result of a dry run. */
export const imagePreviewExample: Example = {
  summary: 'Result of a dry run',
  value: {
    object: 'image_preview',
    request: imageJobExample.request,
    warnings: [],
    estimate: { low_micro_usd: 20_985, high_micro_usd: 210_810, eta_s: null, queue_depth: 2 },
  },
};

/** Result of a dry run of an enhancement. */
export const enhancementPreviewExample: Example = {
  summary: 'Result of a dry run',
  value: {
    object: 'enhancement_preview',
    request: { prompt: 'A lighthouse in a storm', model: 'gpt-5.4-mini' },
    warnings: [],
    estimate: { low_micro_usd: 755, high_micro_usd: 9_314, eta_s: null, queue_depth: 0 },
  },
};

const requestId = 'req_01KAR3S9Z9B2C3D4E5F6G7H8J9';

/** Problem of a request with a misspelled field. */
export const problemExample: Problem = problemOf(
  new AppError('validation_failed', {
    detail: 'Correct the fields listed in errors.',
    issues: [{ pointer: '/qualty', detail: 'is not a known field' }],
  }),
  { instance: '/images', requestId, publicUrl },
);

const problemExamples = new Map<ErrorCode, Example<Problem>>();

/** Returns an example of the problem with this code. Routes share the examples, because each costs a stack trace. */
export function problemExampleOf(code: ErrorCode): Example<Problem> {
  const known = problemExamples.get(code);
  if (known) return known;
  const value =
    code === 'validation_failed'
      ? problemExample
      : problemOf(new AppError(code), { instance: '/images', requestId, publicUrl });
  const example = { summary: errorRow(code).title, value };
  problemExamples.set(code, example);
  return example;
}

/** Data of a `budget.threshold` webhook. */
export const budgetThresholdExample = {
  key_id: 'key_01KGEXAMPLE',
  budget: {
    name: 'key_month',
    window: 'month',
    limit_micro_usd: 50_000_000,
    spent_micro_usd: 39_100_000,
    held_micro_usd: 1_200_000,
    resets_at: '2026-12-01T00:00:00.000Z',
  },
  threshold_percent: 80,
} as const;
