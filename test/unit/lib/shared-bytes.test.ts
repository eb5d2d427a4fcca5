import { describe, expect, it } from 'vitest';
import { createSharedBytes } from '../../../src/lib/shared-bytes.ts';

const bytes = Buffer.from('image');

/** Returns whether a promise has resolved by now. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await new Promise(setImmediate);
  return settled;
}

describe('bytes that a process shares', () => {
  it('are found by every reader of their topic until the last reader ends', async () => {
    const shared = createSharedBytes(1);
    const [first, second] = [shared.expect('job'), shared.expect('job')];
    const sharing = shared.share('job', 'key', bytes);
    expect(first.find('key')).toBe(bytes);
    first.end();
    first.end();
    expect(first.find('key')).toBeUndefined();
    expect(second.find('key')).toBe(bytes);
    expect(await isSettled(sharing)).toBe(false);
    second.end();
    expect(second.find('key')).toBeUndefined();
    expect(await isSettled(sharing)).toBe(true);
  });

  it('are found under their own key and topic only', () => {
    const shared = createSharedBytes(2);
    const [reader, other] = [shared.expect('job'), shared.expect('other job')];
    void shared.share('job', 'key', bytes);
    expect(reader.find('other key')).toBeUndefined();
    expect(other.find('key')).toBeUndefined();
  });

  it('are not shared without a reader, nor beside other bytes of the same topic', async () => {
    const shared = createSharedBytes(2);
    expect(await isSettled(shared.share('job', 'key', bytes))).toBe(true);
    const reader = shared.expect('job');
    expect(reader.find('key')).toBeUndefined();
    void shared.share('job', 'first', bytes);
    expect(await isSettled(shared.share('job', 'second', bytes))).toBe(true);
    expect(reader.find('first')).toBe(bytes);
    expect(reader.find('second')).toBeUndefined();
  });

  it('never exceed the maximum, and are shared again once readers have ended', async () => {
    const shared = createSharedBytes(1);
    const [slow, other] = [shared.expect('slow'), shared.expect('other')];
    const sharing = shared.share('slow', 'key', bytes);
    expect(await isSettled(shared.share('other', 'key', bytes))).toBe(true);
    slow.end();
    await sharing;
    void shared.share('other', 'key', bytes);
    expect(other.find('key')).toBe(bytes);
  });
});
