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

describe('fault words in a prompt', () => {
  it('reads fault words with value and times at any position in the prompt', () => {
    expect(readFaults('image', 'a cat [studio:rate-limit=2,times=3] asleep[studio:html]', null)).toEqual([
      { name: 'rate-limit', value: '2', times: 3, text: 'rate-limit=2,times=3' },
      { name: 'html', value: null, times: null, text: 'html' },
    ]);
  });

  it('reads fault words of the header after those of the prompt', () => {
    expect(names(readFaults('image', '[studio:hang]', 'error=502; latency=10'))).toEqual([
      'hang',
      'error',
      'latency',
    ]);
  });

  it('recognizes every fault name of the table', () => {
    const prompt = Object.keys(FAULTS)
      .map((name) => `[studio:${name}]`)
      .join('');
    const ofInputs = ['input-invalid', 'input-too-large'];
    const ofImages = Object.keys(FAULTS).filter((name) => !name.startsWith('input-'));
    expect(names(readFaults('image', prompt, null))).toEqual(ofImages);
    expect(names(readFaults('edit', prompt, null))).toEqual([...ofImages, ...ofInputs]);
    expect(names(readFaults('upload', prompt, null))).toEqual(['input-hang-up']);
  });

  it.each([
    '[studio:]',
    '[studio:nonsense]',
    '[studio:toString]',
    '[studio:hang up]',
    '[studio:error=500',
    'hang',
  ])('ignores unknown or malformed fault words: %s', (prompt) => {
    expect(readFaults('image', prompt, null)).toEqual([]);
  });

  it('applies fault words with the enhance prefix to text calls and all others to image calls', () => {
    const prompt = '[studio:enhance-error=500] [studio:quota]';
    expect(names(readFaults('text', prompt, null))).toEqual(['error']);
    expect(names(readFaults('image', prompt, null))).toEqual(['quota']);
  });

  it('applies fault words with the poll prefix only to polls of background work', () => {
    const prompt = '[studio:poll-error=503,times=2] [studio:latency=5] [studio:enhance-quota]';
    expect(readFaults('poll', prompt, null)).toEqual([
      { name: 'error', value: '503', times: 2, text: 'poll-error=503,times=2' },
    ]);
    expect(names(readFaults('image', prompt, null))).toEqual(['latency']);
    expect(names(readFaults('text', prompt, null))).toEqual(['quota']);
  });

  it('removes all fault words from the prompt of the image', () => {
    expect(withoutFaultWords('[studio:latency=5] a  cat [studio:whatever, 1] asleep')).toBe('a cat asleep');
  });
});

describe('number of faults', () => {
  it('counts faults per prompt and name, and then lets calls succeed', () => {
    const log = createFaultLog();
    const acts = (prompt: string) =>
      log.activate(prompt, readFaults('image', prompt, null)).main?.name ?? null;
    const prompt = 'a [studio:rate-limit=1,times=2]';
    expect([acts(prompt), acts(prompt), acts(prompt)]).toEqual(['rate-limit', 'rate-limit', null]);
    expect(acts(`${prompt} b`)).toBe('rate-limit');
  });

  it('applies the next fault after the first is used up', () => {
    const log = createFaultLog();
    const prompt = '[studio:overloaded,times=1][studio:error=500,times=1]';
    const acts = () => log.activate(prompt, readFaults('image', prompt, null)).main?.name ?? null;
    expect([acts(), acts(), acts()]).toEqual(['overloaded', 'error', null]);
  });

  it('combines a delay with another fault', () => {
    const prompt = '[studio:latency=5][studio:slow-body=6][studio:truncated]';
    const active = createFaultLog().activate(prompt, readFaults('image', prompt, null));
    expect([active.latency?.value, active.slowBody?.value, active.main?.name]).toEqual([
      '5',
      '6',
      'truncated',
    ]);
  });
});

describe('refusals and charges of faults', () => {
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
  ])('responds to the fault %s with %i and code %s, and charges %s', (text, status, code, charged) => {
    const fault = only(text);
    const refusal = refusalFor(fault, 'req_1');
    expect(refusal).toMatchObject({ status, code });
    expect(chargeFor(fault)).toBe(charged);
  });

  it('reports in a refusal the time to wait and the broken rule', () => {
    expect(refusalFor(only('rate-limit=7'), 'req_1')?.headers['retry-after']).toBe('7');
    expect(refusalFor(only('moderation=violence'), 'req_1')?.message).toContain(
      'safety_violations=[violence]',
    );
    expect(refusalFor(only('quota'), 'req_1')?.type).toBe('insufficient_quota');
  });
});
