import { describe, expect, it } from 'vitest';
import { type ImageJob, shownStatus } from '../../../src/domain/image-job.ts';
import {
  type ImageRequest,
  imageEventTypes,
  type jobEventPatterns,
} from '../../../src/domain/image-request.ts';
import { beginRun, finish } from '../../../src/domain/job-moves.ts';
import { eventFor, eventIdsOf, eventOf, patternsFor, wantsEvent } from '../../../src/domain/webhook-event.ts';
import { createdAt, queuedJob, retention } from '../../support/jobs.ts';

const url = 'https://receiver.example/hook';

/** A job in each of its statuses. */
function lifeOf(webhook?: ImageRequest['webhook']): ImageJob[] {
  const queued = queuedJob({ request: webhook ? { webhook } : {} });
  const running = beginRun(queued, createdAt + 1);
  const ended = (['succeeded', 'failed', 'canceled', 'expired'] as const).map((status) =>
    finish(running, status, { nowMs: createdAt + 2, retention }),
  );
  return [queued, running, ...ended];
}

describe('the event of a change', () => {
  it('creates one event per status, with a type and an id of its own', () => {
    const notes = lifeOf({ url }).map(eventFor);
    expect(notes.map(({ type }) => type)).toEqual([...imageEventTypes]);
    expect(new Set(notes.map(({ id }) => id)).size).toBe(imageEventTypes.length);
  });

  it('derives the event id from job and status, so that the same change never creates a second event', () => {
    const [queued] = lifeOf({ url });
    if (!queued) throw new Error('no job');
    const id = `evt_${queued.id.slice('img_'.length)}_queued`;
    for (const job of [queued, { ...queued, version: 9, updatedAt: createdAt + 9 }])
      expect(eventFor(job)).toEqual({ id, type: 'image.queued', wanted: true });
  });

  it('lists the event of every status among the ids that an erasure removes', () => {
    const life = lifeOf({ url });
    expect(eventIdsOf(life[0]?.id ?? '').sort()).toEqual(life.map((job) => eventFor(job).id).sort());
  });

  it('creates no event for a job without a webhook or for an erased job', () => {
    const erased = lifeOf({ url }).map(({ request: _request, ...job }) => job);
    for (const job of [...lifeOf(), ...erased]) expect(eventFor(job).wanted).toBe(false);
  });

  it('creates an event for a job whose webhook subscribes to it alone', () => {
    const wanted = lifeOf({ url, events: ['image.failed'] }).filter((job) => eventFor(job).wanted);
    expect(wanted.map(({ status }) => status)).toEqual(['failed']);
  });
});

type JobPattern = (typeof jobEventPatterns)[number];

describe('a subscription', () => {
  it.each<[JobPattern[] | undefined, (typeof imageEventTypes)[number], boolean]>([
    [undefined, 'image.started', true],
    [['*'], 'image.queued', true],
    [['image.*'], 'image.expired', true],
    [['image.succeeded', 'image.failed'], 'image.failed', true],
    [['image.succeeded', 'image.failed'], 'image.queued', false],
    [['image.queued', 'image.*'], 'image.canceled', true],
  ])('matches the subscription %j against %s: %s', (events, type, wanted) => {
    expect(wantsEvent({ url, ...(events ? { events } : {}) }, type)).toBe(wanted);
  });

  it('matches no event without a subscription', () => {
    expect(wantsEvent(undefined, 'image.succeeded')).toBe(false);
  });

  it('lists two wildcard patterns and the exact type for each event', () => {
    for (const job of lifeOf()) {
      const type = eventOf(shownStatus(job));
      expect(patternsFor(type)).toEqual(['*', 'image.*', type]);
    }
    expect(patternsFor('budget.threshold')).toEqual(['*', 'budget.threshold']);
  });
});
