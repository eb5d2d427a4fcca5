import { describe, expect, it, vi } from 'vitest';
import { newIdempotencyKey } from '../../../console/src/api/idempotency-key.ts';
import { queryText } from '../../../console/src/api/query-text.ts';
import { createSseParser } from '../../../console/src/api/sse-parser.ts';
import { exactAmount, formatUsd, sumKnown } from '../../../console/src/format/money.ts';
import { shortId } from '../../../console/src/format/short-id.ts';
import { formatBytes, formatClock, formatDuration, formatLatency } from '../../../console/src/format/time.ts';
import { matchPath } from '../../../console/src/lib/match-path.ts';

describe('amounts in the console', () => {
  it.each([
    [0, '$0.00'],
    [1, '$0.000001'],
    [99, '$0.000099'],
    [100, '$0.0001'],
    [53_100, '$0.0531'],
    [999_960, '$1.0000'],
    [1_000_000, '$1.00'],
    [1_234_567_890, '$1,234.57'],
  ])('%d micro-USD is shown as %s', (microUsd, text) => {
    expect(formatUsd(microUsd, 'en')).toBe(text);
  });

  it('the exact amount names its unit', () => {
    expect(exactAmount(53_123, 'en')).toBe('53,123 micro-USD');
  });

  it('a sum leaves out unknown amounts and counts them', () => {
    expect(sumKnown([100, null, 50])).toEqual({ microUsd: 150, unknown: 1 });
    expect(sumKnown([])).toEqual({ microUsd: 0, unknown: 0 });
  });

  it('a sum of unknown amounts only is unknown, not zero', () => {
    expect(sumKnown([null, null])).toEqual({ microUsd: null, unknown: 2 });
  });
});

describe('times and sizes in the console', () => {
  it('durations have one decimal below a minute, and two units above', () => {
    expect(formatDuration(400, 'en')).toBe('0.4 s');
    expect(formatLatency(400, 'en')).toBe('400 ms');
    expect(formatLatency(1_000, 'en')).toBe('1.0 s');
    expect(formatDuration(125_000, 'en')).toBe('2 min 5 s');
    expect(formatDuration(12_000_000, 'en')).toBe('3 h 20 min');
    expect(formatDuration(6_400, 'zh-Hans')).toBe('6.4秒');
    expect(formatClock(14_900)).toBe('0:14');
  });

  it('a long id is shortened in the middle, a short one is whole', () => {
    expect(shortId('req_7f36aaf70d494b02b1c2')).toBe('req_7f36aa…02b1c2');
    expect(shortId('req_7f36aaf70d494b')).toBe('req_7f36aaf70d494b');
  });

  it('sizes have decimal units', () => {
    expect(formatBytes(1_400_000, 'en')).toBe('1.4 MB');
    expect(formatBytes(812, 'en')).toBe('812 byte');
  });
});

describe('addresses in the console', () => {
  it('a pattern returns the parameters of a path that matches', () => {
    expect(matchPath('/jobs/:id', '/jobs/img_1')).toEqual({ id: 'img_1' });
    expect(matchPath('/jobs/:id', '/jobs')).toBeNull();
    expect(matchPath('/jobs/:id', '/jobs/%zz')).toBeNull();
  });

  it('empty values are left out of a query', () => {
    expect(queryText({ status: 'failed', cursor: undefined, model: '' })).toBe('?status=failed');
  });
});

describe('server-sent events in the console', () => {
  it('events are read from pieces that end anywhere', () => {
    const events: unknown[] = [];
    const parser = createSseParser((event) => events.push(event));
    for (const piece of [': open\nid: 7\n\n', 'id: 8\nevent: image.queued\nda', 'ta: {"a":1}\n', '\n']) {
      parser.push(piece);
    }
    expect(events).toEqual([{ id: '8', type: 'image.queued', data: '{"a":1}' }]);
    expect(parser.lastId()).toBe('8');
  });
});

describe('idempotency keys of the console', () => {
  it('every key is new, also where the browser has no randomUUID', () => {
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
    expect(newIdempotencyKey()).toMatch(/^console-[0-9a-f]{32}$/);
    expect(newIdempotencyKey()).not.toBe(newIdempotencyKey());
    vi.unstubAllGlobals();
  });
});
