import { describe, expect, it } from 'vitest';
import { beginExecution, finish, type ImageJob } from '../../../src/domain/image-job.ts';
import type { ImageRequest } from '../../../src/domain/image-request.ts';
import { Delivery, deliveriesFor, deliveryIdsOf, wantsEvent } from '../../../src/domain/webhook-event.ts';
import { createdAt, queuedJob, retention } from '../../support/jobs.ts';

const url = 'https://receiver.example/hook';

function lifeOf(webhook: ImageRequest['webhook']): ImageJob[] {
  const queued = queuedJob({ request: webhook ? { webhook } : {} });
  const running = beginExecution(queued, createdAt + 1);
  const ended = (['succeeded', 'failed', 'canceled', 'expired'] as const).map((status) =>
    finish(running, status, { nowMs: createdAt + 2, retention }),
  );
  return [queued, running, ...ended];
}

describe('the deliveries of a change', () => {
  it('are one per status, each under its own event type and id', () => {
    const deliveries = lifeOf({ url }).flatMap(deliveriesFor);
    expect(deliveries.map((delivery) => delivery.type)).toEqual([
      'image.queued',
      'image.started',
      'image.succeeded',
      'image.failed',
      'image.canceled',
      'image.expired',
    ]);
    expect(new Set(deliveries.map((delivery) => delivery.id)).size).toBe(6);
    expect(new Set(deliveries.map((delivery) => delivery.eventId)).size).toBe(6);
  });

  it('have ids that follow from job and status, so that the same change never makes a second event', () => {
    const [queued] = lifeOf({ url });
    if (!queued) throw new Error('no job');
    const ulid = queued.id.slice('img_'.length);
    const later = { ...queued, version: 9, updatedAt: createdAt + 9 };
    for (const job of [queued, later]) {
      expect(deliveriesFor(job)).toMatchObject([
        {
          id: `dlv_${ulid}_queued`,
          eventId: `evt_${ulid}_queued`,
          tenant: 'acme',
          jobId: job.id,
          attempts: 0,
        },
      ]);
    }
  });

  it('are all among the ids that erasing removes', () => {
    const life = lifeOf({ url });
    const ids = life.flatMap(deliveriesFor).map((delivery) => delivery.id);
    expect(deliveryIdsOf(life[0]?.id ?? '').sort()).toEqual(ids.sort());
  });

  it('carry the job as it was, and the time of the change', () => {
    const [, running] = lifeOf({ url });
    if (!running) throw new Error('no job');
    const [delivery] = deliveriesFor(running);
    expect(delivery).toMatchObject({ at: createdAt + 1, url, job: running });
    expect(Delivery.parse(delivery)).toEqual(delivery);
  });

  it('do not exist without a webhook, and not for an erased job', () => {
    expect(lifeOf(undefined).flatMap(deliveriesFor)).toEqual([]);
    const erased = lifeOf({ url }).map(({ request: _request, ...job }) => job);
    expect(erased.flatMap(deliveriesFor)).toEqual([]);
  });
});

describe('a subscription', () => {
  it.each([
    [undefined, 'image.started', true],
    [['image.*'], 'image.expired', true],
    [['image.succeeded', 'image.failed'], 'image.failed', true],
    [['image.succeeded', 'image.failed'], 'image.queued', false],
    [['image.queued', 'image.*'], 'image.canceled', true],
  ] as const)('to %j wants %s: %s', (events, type, wanted) => {
    expect(wantsEvent({ url, ...(events ? { events: [...events] } : {}) }, type)).toBe(wanted);
  });

  it('that does not exist wants nothing', () => {
    expect(wantsEvent(undefined, 'image.succeeded')).toBe(false);
  });
});
