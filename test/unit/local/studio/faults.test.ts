import { describe, expect, it } from 'vitest';
import { chargeFor, refusalFor } from '../../../../src/local/studio/fault-refusals.ts';
import {
  createFaultLog,
  FAULTS,
  type Fault,
  readFaults,
  withoutFaultWords,
} from '../../../../src/local/studio/faults.ts';

const names = (faults: Fault[]) => faults.map(({ name }) => name);

const only = (text: string): Fault => {
  const [fault] = readFaults('image', `[studio:${text}]`, null);
  if (fault === undefined) throw new Error(`no fault in ${text}`);
  return fault;
};

describe('fault words', () => {
  it('are read with value and times, wherever they stand in the prompt', () => {
    expect(readFaults('image', 'a cat [studio:rate-limit=2,times=3] asleep[studio:html]', null)).toEqual([
      { name: 'rate-limit', value: '2', times: 3, text: 'rate-limit=2,times=3' },
      { name: 'html', value: null, times: null, text: 'html' },
    ]);
  });

  it('are read from the header after those of the prompt', () => {
    expect(names(readFaults('image', '[studio:hang]', 'error=502; latency=10'))).toEqual([
      'hang',
      'error',
      'latency',
    ]);
  });

  it('are known for every name of the table', () => {
    const prompt = Object.keys(FAULTS)
      .map((name) => `[studio:${name}]`)
      .join('');
    expect(names(readFaults('image', prompt, null))).toEqual(Object.keys(FAULTS));
  });

  it.each([
    '[studio:]',
    '[studio:nonsense]',
    '[studio:toString]',
    '[studio:hang up]',
    '[studio:error=500',
    'hang',
  ])('that are unknown or malformed do nothing: %s', (prompt) => {
    expect(readFaults('image', prompt, null)).toEqual([]);
  });

  it('act on text calls only with the enhance prefix, and on image calls only without', () => {
    const prompt = '[studio:enhance-error=500] [studio:quota]';
    expect(names(readFaults('text', prompt, null))).toEqual(['error']);
    expect(names(readFaults('image', prompt, null))).toEqual(['quota']);
  });

  it('act on questions after background work only with the poll prefix', () => {
    const prompt = '[studio:poll-error=503,times=2] [studio:latency=5] [studio:enhance-quota]';
    expect(readFaults('poll', prompt, null)).toEqual([
      { name: 'error', value: '503', times: 2, text: 'poll-error=503,times=2' },
    ]);
    expect(names(readFaults('image', prompt, null))).toEqual(['latency']);
    expect(names(readFaults('text', prompt, null))).toEqual(['quota']);
  });

  it('leave no trace in what the image is made from', () => {
    expect(withoutFaultWords('[studio:latency=5] a  cat [studio:whatever, 1] asleep')).toBe('a cat asleep');
  });
});

describe('times', () => {
  it('counts per prompt and fault, then lets calls through', () => {
    const log = createFaultLog();
    const acts = (prompt: string) =>
      log.activate(prompt, readFaults('image', prompt, null)).main?.name ?? null;
    const prompt = 'a [studio:rate-limit=1,times=2]';
    expect([acts(prompt), acts(prompt), acts(prompt)]).toEqual(['rate-limit', 'rate-limit', null]);
    expect(acts(`${prompt} b`)).toBe('rate-limit');
  });

  it('lets the next fault act once the first is used up', () => {
    const log = createFaultLog();
    const prompt = '[studio:overloaded,times=1][studio:error=500,times=1]';
    const acts = () => log.activate(prompt, readFaults('image', prompt, null)).main?.name ?? null;
    expect([acts(), acts(), acts()]).toEqual(['overloaded', 'error', null]);
  });

  it('lets delays combine with another fault', () => {
    const prompt = '[studio:latency=5][studio:slow-body=6][studio:truncated]';
    const active = createFaultLog().activate(prompt, readFaults('image', prompt, null));
    expect([active.latency?.value, active.slowBody?.value, active.main?.name]).toEqual([
      '5',
      '6',
      'truncated',
    ]);
  });
});

describe('refusals and charges', () => {
  it.each([
    ['rate-limit=7', 429, 'rate_limit_exceeded', 'none'],
    ['slow-down', 429, 'slow_down', 'none'],
    ['quota', 429, 'credit_balance_exhausted', 'none'],
    ['overloaded', 503, 'server_is_overloaded', 'none'],
    ['moderation', 400, 'moderation_blocked', 'none'],
    ['bad-request', 400, 'invalid_value', 'none'],
    ['unauthorized', 401, 'invalid_api_key', 'none'],
    ['error', 500, null, 'possible'],
    ['error=404', 404, null, 'none'],
    ['error=503', 503, null, 'none'],
    ['error=504', 504, null, 'possible'],
    ['error=nonsense', 500, null, 'possible'],
    ['error=200', 500, null, 'possible'],
  ])('%s answers %i with code %s and charges %s', (text, status, code, charged) => {
    const fault = only(text);
    const refusal = refusalFor(fault, 'req_1');
    expect(refusal).toMatchObject({ status, code });
    expect(chargeFor(fault)).toBe(charged);
  });

  it('tell how long to wait, and which rule was broken', () => {
    expect(refusalFor(only('rate-limit=7'), 'req_1')?.headers['retry-after']).toBe('7');
    expect(refusalFor(only('moderation=violence'), 'req_1')?.message).toContain(
      'safety_violations=[violence]',
    );
    expect(refusalFor(only('quota'), 'req_1')?.type).toBe('insufficient_quota');
  });
});
