import { expect } from 'vitest';
import type { Caller } from '../../src/domain/api-key.ts';
import type { ImageRequestBody } from '../../src/domain/image-request.ts';
import type { Core } from './core.ts';

export const caller: Caller = {
  tenant: 'acme',
  keyId: 'key_1',
  scopes: new Set(['images:write']),
  isOperator: false,
  policy: { key: {}, tenant: {} },
};
export const requestBody: ImageRequestBody = {
  prompt: 'A fox',
  quality: 'low',
  metadata: { a: '1', b: '2' },
};

/** Submits a valid request, with the given fields instead of its own. */
export function submit(
  core: Pick<Core, 'submitJob'>,
  fields: Partial<ImageRequestBody> = {},
  idempotencyKey?: string,
) {
  return core.submitJob.submit({ caller, body: { ...requestBody, ...fields }, idempotencyKey });
}

/** Expects that a submission left no job, no task and no key. */
export async function expectNothingStored(core: Core): Promise<void> {
  expect(await core.records.list('acme', { limit: 10 })).toEqual({ jobs: [], nextBeforeId: null });
  expect(await core.records.countOpen('acme')).toBe(0);
  expect(await core.jobQueue.counts()).toMatchObject({ waiting: 0, delayed: 0 });
  expect(await core.redis.keys(`*${core.prefix}*`)).toEqual([]);
}
