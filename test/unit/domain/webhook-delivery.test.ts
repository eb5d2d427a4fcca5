import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { webhookScheduleSeconds as schedule } from '../../../src/domain/retry-schedule.ts';
import {
  afterAttempt,
  createDelivery,
  Delivery,
  failDelivery,
  longestPendingMs,
  restartSchedule,
  scheduleLengthMs,
} from '../../../src/domain/webhook-delivery.ts';
import { createdAt } from '../../support/jobs.ts';

const url = 'https://receiver.example/hook';
const fresh = createDelivery({
  ...{ id: 'dlv_1', tenant: 'acme', eventId: 'evt_1', type: 'image.succeeded', at: createdAt - 7 },
  ...{ destinationKey: 'whk_1', endpointId: 'whk_1', jobId: 'img_1', url, nowMs: createdAt },
});

/** Returns a delivery after an attempt with the given outcome. */
const tried = (delivery: Delivery, outcome: string, nowMs = createdAt) =>
  afterAttempt(delivery, { url, outcome }, { nowMs, random: 0, schedule });

describe('a new delivery', () => {
  it('creates a delivery that is due at once and can be read back', () => {
    expect(fresh).toMatchObject({ status: 'pending', dueAt: createdAt, attempts: 0, step: 0, version: 1 });
    expect(Delivery.parse(JSON.parse(JSON.stringify(fresh)))).toEqual(fresh);
  });

  it('creates a delivery without an endpoint or a job if there is none', () => {
    const { endpointId: _endpoint, jobId: _job, ...rest } = fresh;
    const bare = createDelivery({ ...rest, endpointId: undefined, jobId: undefined, nowMs: createdAt });
    expect(Object.keys(bare)).not.toContain('endpointId');
    expect(Object.keys(bare)).not.toContain('jobId');
  });
});

describe('a delivery after an attempt', () => {
  it('ends a delivery after a successful attempt', () => {
    const after = tried(fresh, 'delivered', createdAt + 5);
    expect(after).toMatchObject({ status: 'delivered', attempts: 1, finishedAt: createdAt + 5 });
    expect(after).not.toHaveProperty('dueAt');
  });

  it('follows the schedule from the end of a failed attempt, and gives up after the tenth', () => {
    let delivery = fresh;
    for (const seconds of schedule.slice(1)) {
      const nowMs = delivery.dueAt ?? 0;
      delivery = tried(delivery, 'http_500', nowMs);
      expect(delivery).toMatchObject({ status: 'pending', dueAt: nowMs + seconds * 1000 });
    }
    delivery = tried(delivery, 'timeout', createdAt + 1);
    expect(delivery).toMatchObject({ status: 'failed', outcome: 'timeout', attempts: 10 });
    expect(delivery.finishedAt).toBe(createdAt + 1);
  });

  it('gives up at once after a 410', () => {
    expect(tried(fresh, 'gone')).toMatchObject({ status: 'failed', outcome: 'gone', attempts: 1 });
  });

  it('waits for Retry-After, at most a day', () => {
    const limited = (retryAfterMs: number) =>
      afterAttempt(
        fresh,
        { url, outcome: 'http_429', retryAfterMs },
        { nowMs: createdAt, random: 0, schedule },
      );
    expect(limited(60_000).dueAt).toBe(createdAt + 60_000);
    expect(limited(1e12).dueAt).toBe(createdAt + 86_400_000);
  });
});

describe('the final status of a delivery', () => {
  const outcome = fc.constantFrom('delivered', 'http_500', 'gone', 'timeout');
  const move = fc.oneof(
    fc.record({ kind: fc.constant('attempt' as const), outcome }),
    fc.record({ kind: fc.constant('give up' as const), outcome: fc.constant('endpoint_disabled') }),
  );

  it('never leaves a final status after an attempt, except for `delivered` after a late success', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
        let delivery = fresh;
        for (const [i, { kind, outcome }] of moves.entries()) {
          const before = delivery;
          delivery =
            kind === 'attempt'
              ? tried(before, outcome, createdAt + i)
              : failDelivery(before, outcome, createdAt + i);
          const isFinal = before.status !== 'pending';
          if (isFinal && outcome !== 'delivered') {
            expect(delivery.status).toBe(before.status);
            expect(delivery.outcome).toBe(before.outcome);
            expect(delivery.finishedAt).toBe(before.finishedAt);
          }
          expect(delivery.status === 'pending').toBe(delivery.dueAt !== undefined);
          expect(delivery.status === 'pending').toBe(delivery.finishedAt === undefined);
        }
        expect(delivery.attempts).toBe(moves.filter(({ kind }) => kind === 'attempt').length);
      }),
    );
  });

  it('leaves a final status on redelivery, restarts the schedule and continues the count', () => {
    const failed = failDelivery(tried(fresh, 'http_500'), 'endpoint_disabled', createdAt + 5);
    const again = restartSchedule(failed, createdAt + 9);
    expect(again).toMatchObject({
      status: 'pending',
      dueAt: createdAt + 9,
      startedAt: createdAt + 9,
      step: 0,
    });
    expect(again).not.toHaveProperty('finishedAt');
    expect(tried(again, 'http_500', createdAt + 9)).toMatchObject({ attempts: 2, dueAt: createdAt + 5_009 });
  });

  it('keeps a final status when the delivery is given up', () => {
    const delivered = tried(fresh, 'delivered');
    expect(failDelivery(delivered, 'erased', createdAt + 9)).toEqual(delivered);
  });
});

describe('the maximum duration of a delivery', () => {
  it('sums the schedule with the longest jitter', () => {
    const hours = schedule.reduce((sum, seconds) => sum + seconds, 0) / 3600;
    expect(hours).toBeCloseTo(75.6, 1);
    expect(scheduleLengthMs(schedule)).toBeCloseTo(hours * 1.1 * 3_600_000, 3);
  });

  it('never exceeds its maximum duration, whatever Retry-After says', () => {
    const retryHints = fc.array(fc.option(fc.nat(1e10), { nil: undefined }), {
      minLength: 10,
      maxLength: 10,
    });
    fc.assert(
      fc.property(
        retryHints,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (asked, random) => {
          let delivery = fresh;
          for (const retryAfterMs of asked) {
            const nowMs = delivery.dueAt ?? 0;
            const result = { url, outcome: 'http_429', retryAfterMs };
            delivery = afterAttempt(delivery, result, { nowMs, random, schedule });
          }
          expect(delivery.status).toBe('failed');
          expect((delivery.finishedAt ?? 0) - createdAt).toBeLessThanOrEqual(longestPendingMs(schedule));
        },
      ),
    );
  });
});
