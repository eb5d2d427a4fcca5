import fc from 'fast-check';
import { expect, it } from 'vitest';
import { capsOf } from '../../src/domain/budget.ts';
import { withHold } from '../../src/domain/job-money.ts';
import { createdAt, queuedJob } from '../support/jobs.ts';
import { connectRecords } from '../support/records.ts';

const { store, records, freshTenant } = await connectRecords();

const day = (limitMicroUsd: number) => ({ window: 'day', limitMicroUsd, soft: false });
/** Budgets of the key and of the tenant, small enough that some jobs are refused. */
const policies = [
  { key: {}, tenant: {} },
  { key: { budgets: [day(700)] }, tenant: {} },
  { key: { budgets: [day(900)] }, tenant: { budgets: [day(1_500)] } },
];
const queueLimits = [[], [{ owner: 'key', limit: 4 }], [{ owner: 'tenant', limit: 9 }]] as const;

/** A job of one of three keys, with a hold of 100 micro-USD for each image, under one of the policies and limits. */
const arbitrarySubmission = fc.record({
  keyId: fc.constantFrom('key_1', 'key_2', 'key_3'),
  n: fc.integer({ min: 1, max: 3 }),
  policy: fc.constantFrom(...policies),
  queueLimits: fc.constantFrom(...queueLimits),
});
type Given = typeof arbitrarySubmission extends fc.Arbitrary<infer Value> ? Value : never;

/** Submissions of which some equal ones follow each other, because the store counts those together. */
const arbitrarySubmissions = fc
  .array(fc.tuple(arbitrarySubmission, fc.integer({ min: 1, max: 7 })), { minLength: 1, maxLength: 10 })
  .map((runs) => runs.flatMap(([given, times]) => Array.from({ length: times }, () => given)));

function submit(tenant: string, { keyId, n, policy, queueLimits }: Given) {
  const job = withHold({ ...queuedJob({ tenant, request: { n } }), keyId, callBounds: { image: 100 } });
  const caps = capsOf(policy, keyId, { acceptedAtMs: createdAt, nowMs: createdAt });
  return records.submit({ job, caps, queueLimits, maxOpenJobs: 1_000 });
}

/** Returns all counters that a submission changes. */
const countersOf = async (tenant: string) => ({
  money: await store.redis.hgetall(store.keys.spend(tenant)),
  load: await store.redis.hgetall(store.keys.load(tenant)),
  open: await records.countOpen(tenant),
});

it('decides and counts jobs that are submitted together as if each had been submitted alone', async () => {
  await fc.assert(
    fc.asyncProperty(arbitrarySubmissions, async (given) => {
      const [together, alone] = [freshTenant(), freshTenant()];
      const outcomes = await Promise.all(given.map((each) => submit(together, each)));
      const expected = [];
      for (const each of given) expected.push(await submit(alone, each));
      expect(outcomes).toEqual(expected);
      expect(await countersOf(together)).toEqual(await countersOf(alone));
    }),
    { numRuns: 60 },
  );
});
