import fc from 'fast-check';
import { attemptStates } from '../../src/domain/attempt.ts';
import { billings, errorCodes } from '../../src/domain/errors.ts';
import { type ImageJob, jobStages, jobStatuses, recordSchema } from '../../src/domain/image-job.ts';
import { imageEventTypes } from '../../src/domain/image-request.ts';

const whole = fc.nat(2 ** 40);
const seconds = fc.integer({ min: 60, max: 100_000_000 });
/** Generates texts of any code units: letters, control characters, paired and lone surrogates. */
export const anyText = (minLength = 0, maxLength = 40) =>
  fc.string({
    unit: fc
      .oneof(
        fc.integer({ min: 0, max: 0x7f }),
        fc.integer({ min: 0xd7f0, max: 0xe010 }),
        fc.integer({ min: 0, max: 0xffff }),
      )
      .map((codeUnit) => String.fromCharCode(codeUnit)),
    minLength,
    maxLength,
  });
const text = anyText();
const someText = anyText(1).filter((key) => key !== '__proto__');
const id = fc.string({
  unit: fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'),
  minLength: 26,
  maxLength: 26,
});

/** Generates objects in which the members outside `requiredKeys` are sometimes missing. */
function withOptional<T, K extends keyof T>(
  model: { [Key in keyof T]: fc.Arbitrary<T[Key]> },
  requiredKeys: K[],
) {
  return fc.record(model, { requiredKeys });
}

// JSON has no negative zero.
const json = fc.jsonValue({ maxDepth: 2 }).map((value): unknown => JSON.parse(JSON.stringify(value)));

const request = withOptional(
  {
    prompt: someText,
    model: text,
    n: fc.integer({ min: 1, max: 10 }),
    size: fc.constantFrom('auto', '1024x1024'),
    enhance: fc.constantFrom('off' as const, 'auto' as const, 'always' as const),
    priority: fc.constantFrom('low' as const, 'normal' as const, 'high' as const),
    queue_ttl_s: seconds,
    run_timeout_s: seconds,
    quality: someText,
    metadata: fc.dictionary(someText, text, { maxKeys: 4, noNullPrototype: true }),
    webhook: fc.record({
      url: someText,
      events: fc.uniqueArray(fc.constantFrom(...imageEventTypes), { minLength: 1 }),
    }),
    provider_options: fc.dictionary(someText, json, { maxKeys: 3, noNullPrototype: true }),
    retention: fc.record({ media_s: seconds, record_s: seconds }),
  },
  ['prompt', 'model', 'n', 'size', 'enhance', 'priority', 'queue_ttl_s', 'run_timeout_s'],
);

const attempt = withOptional(
  {
    no: whole,
    kind: fc.constantFrom('generate' as const, 'enhance' as const),
    index: fc.nat(9),
    state: fc.constantFrom(...attemptStates),
    fence: whole,
    startedAt: whole,
    finishedAt: whole,
    providerRequestId: text,
    error: text,
    model: text,
    costMicroUsd: whole,
  },
  ['no', 'kind', 'index', 'state', 'fence', 'startedAt'],
);

const error = withOptional(
  {
    code: fc.constantFrom(...errorCodes),
    message: text,
    stage: fc.constantFrom(...jobStages),
    billing: fc.constantFrom(...billings),
    index: fc.nat(9),
    provider: fc.record({ status: whole, code: text, request_id: text, categories: fc.array(text) }),
  },
  ['code', 'message', 'billing'],
);

const image = fc.record({
  index: fc.nat(9),
  storageKey: text,
  contentType: fc.constantFrom('image/png', 'image/webp'),
  width: whole,
  height: whole,
  sizeBytes: whole,
  sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
});

const moment = withOptional(
  {
    at: whole,
    status: fc.constantFrom(...jobStatuses),
    stage: fc.constantFrom(...jobStages),
    image: fc.nat(9),
  },
  ['at', 'status'],
);

/** Generates any job that the schema allows, even if no sequence of transitions leads to it. */
export const arbitraryJob: fc.Arbitrary<ImageJob> = withOptional(
  {
    id: id.map((ulid) => `img_${ulid}`),
    schema: fc.constant(recordSchema),
    tenant: fc.constantFrom('acme', 'A-b_9'),
    version: fc.integer({ min: 1, max: 1_000_000 }),
    status: fc.constantFrom(...jobStatuses),
    stage: fc.constantFrom(...jobStages),
    createdAt: whole,
    updatedAt: whole,
    startedAt: whole,
    finishedAt: whole,
    cancelRequestedAt: whole,
    erasedAt: whole,
    mediaExpiresAt: whole,
    recordExpiresAt: whole,
    mediaGone: fc.boolean(),
    request,
    enhancedPrompt: text,
    revisedPrompt: text,
    images: fc.array(image, { maxLength: 3 }),
    errors: fc.array(error, { maxLength: 3 }),
    attempts: fc.array(attempt, { maxLength: 3 }),
    usage: fc.record({ input_tokens: whole, output_tokens: whole, total_tokens: whole }),
    warnings: fc.array(text, { maxLength: 2 }),
    parentId: text,
    fence: whole,
    refusals: whole,
    traceparent: text,
    history: fc.array(moment, { maxLength: 6 }),
  },
  [
    'id',
    'tenant',
    'version',
    'schema',
    'status',
    'createdAt',
    'updatedAt',
    'images',
    'attempts',
    'fence',
    'history',
  ],
);
