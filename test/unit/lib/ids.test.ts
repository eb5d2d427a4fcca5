import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ids, timeOf, timePart, ulid } from '../../../src/lib/ids.ts';

const maxMs = 2 ** 48 - 1;
const moment = fc.integer({ min: 0, max: maxMs });

describe('identifiers', () => {
  it('creates ids from a prefix and a ULID', () => {
    expect(ids.job(Date.now())).toMatch(/^img_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  });

  it('creates ids that sort by their creation time', () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        fc.pre(a !== b);
        expect(ulid(a) < ulid(b)).toBe(a < b);
      }),
    );
  });

  it('creates different ids within one millisecond', () => {
    const made = Array.from({ length: 50_000 }, () => ulid(1));
    expect(new Set(made).size).toBe(made.length);
  });

  it('uses every character of the alphabet at every random position', () => {
    const made = Array.from({ length: 3_000 }, () => ulid(1));
    for (let position = 10; position < 26; position++) {
      expect(new Set(made.map((id) => id[position])).size).toBe(32);
    }
  });
});

describe('the time part', () => {
  it('begins all ids of one millisecond, and no other id, with its time part', () => {
    fc.assert(
      fc.property(moment, (ms) => {
        expect(ulid(ms).startsWith(timePart(ms))).toBe(true);
        expect(timePart(ms)).toHaveLength(10);
        if (ms > 0) expect(timePart(ms - 1) < timePart(ms)).toBe(true);
      }),
    );
  });

  it('reads the time part from an id', () => {
    fc.assert(
      fc.property(moment, (ms) => {
        expect(timeOf(ids.job(ms))).toBe(ms);
      }),
    );
  });

  it('encodes the time part as the ULID specification does', () => {
    expect(timePart(1_469_918_176_385)).toBe('01ARYZ6S41');
    expect(timePart(maxMs)).toBe('7ZZZZZZZZZ');
  });

  it('rounds the time down to a millisecond and encodes times before the epoch as 0', () => {
    expect(timePart(5.9)).toBe(timePart(5));
    expect(timePart(-1)).toBe('0000000000');
  });
});

describe('the id of a delivery', () => {
  it('derives a delivery id from event and endpoint, so that a repeated step creates no duplicate', () => {
    const id = ids.delivery(1_469_918_176_385, 'evt_1', 'whk_1');
    expect(ids.delivery(1_469_918_176_385, 'evt_1', 'whk_1')).toBe(id);
    expect(id).toMatch(/^dlv_01ARYZ6S41[0-9A-HJKMNP-TV-Z]{16}$/);
    expect(ids.delivery(1_469_918_176_385, 'evt_1', 'whk_2')).not.toBe(id);
    expect(ids.delivery(1_469_918_176_385, 'evt_2', 'whk_1')).not.toBe(id);
  });

  it('sorts delivery ids by the time of the event', () => {
    const event = fc.record({ at: moment, id: fc.string() });
    fc.assert(
      fc.property(event, event, (a, b) => {
        fc.pre(a.at !== b.at);
        expect(ids.delivery(a.at, a.id, 'whk_1') < ids.delivery(b.at, b.id, 'whk_1')).toBe(a.at < b.at);
      }),
    );
  });
});

describe('delivery queue id of a host', () => {
  it('uses one delivery queue per tenant and origin', () => {
    const target = ids.hostDestinationKey('acme', 'https://receiver.example/hook');
    for (const same of ['https://receiver.example/other?a=1', 'HTTPS://RECEIVER.example:443'])
      expect(ids.hostDestinationKey('acme', same)).toBe(target);
    const others = [
      ids.hostDestinationKey('other', 'https://receiver.example/hook'),
      ids.hostDestinationKey('acme', 'https://receiver.example:8443/hook'),
      ids.hostDestinationKey('acme', 'http://receiver.example/hook'),
      ids.hostDestinationKey('acme', 'https://receiver.example.org/hook'),
    ];
    expect(new Set([target, ...others]).size).toBe(5);
    // No endpoint can have such a name.
    for (const each of [target, ...others]) expect(each).toMatch(/^host_/);
  });
});
