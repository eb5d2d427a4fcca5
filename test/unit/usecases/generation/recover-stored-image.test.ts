import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../src/domain/attempt.ts';
import { storageKeyOf } from '../../../../src/domain/image.ts';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { digestHex } from '../../../../src/lib/crypto/api-key-text.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt } from '../../../support/jobs.ts';

const done = { done: true };
const bytes = Buffer.from('image of a dead worker');

/** Creates a job whose worker stored the bytes of its call and died, or whose record of that is lost. */
function leftBehind({
  attempt = {},
  n = 1,
  text = bytes,
}: {
  attempt?: Partial<Attempt>;
  n?: number;
  text?: Buffer;
} = {}) {
  const made = generation({ request: { n }, onUncertain: 'fail' });
  const row = attemptOf({ state: 'calling', ...attempt });
  made.set((job) => ({ ...beginRun(job, createdAt), attempts: [row] }));
  const key = storageKeyOf(made.job(), row, 'image/png');
  made.stored.set(key, text);
  return { ...made, key };
}

describe('an image in the storage that no record names', () => {
  it('is recorded by the next run without another call, and its cost is unknown', async () => {
    const made = leftBehind();
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(0);
    expect(made.puts).toEqual([]);
    expect(made.job()).toMatchObject({
      status: 'succeeded',
      images: [{ storageKey: made.key, sizeBytes: bytes.length, sha256: digestHex(bytes), width: 1024 }],
      attempts: [{ state: 'stored', responseLost: true }],
    });
    expect(made.job().attempts[0]).not.toHaveProperty('costMicroUsd');
    expect(made.job().attempts[0]).not.toHaveProperty('error');
  });

  it('is used only after the wait for a disk with the response, which knows the cost', async () => {
    const made = leftBehind({ attempt: { state: 'received', receivedAt: createdAt + 900 } });
    expect(await made.run()).toMatchObject({ againInMs: 5_000 });
    expect(made.job().images).toEqual([]);
    made.passTime(120_000);
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'succeeded', images: [{ storageKey: made.key }] });
  });

  it('is searched again while the storage cannot be read, so that no call is made in between', async () => {
    const made = leftBehind();
    made.faults.storage.reads = 2;
    for (let round = 0; round < 2; round += 1) {
      expect(await made.run()).toMatchObject({ againInMs: 5_000 });
      expect(made.job().attempts).toMatchObject([{ state: 'calling' }]);
    }
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(0);
    expect(made.job().status).toBe('succeeded');
  });

  it('is not used if its bytes are no image', async () => {
    const made = leftBehind({ text: Buffer.from('<html>') });
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({
      status: 'failed',
      errors: [{ code: 'provider_outcome_unknown' }],
      attempts: [{ state: 'uncertain', error: 'worker_lost' }],
    });
  });

  it.each([1, 2])('gets its cost and its tokens once a disk returns with the response, n = %i', async (n) => {
    const made = leftBehind({ n });
    await made.run();
    const signal = new AbortController().signal;
    for (let round = 0; round < 2; round += 1) {
      made.spoolBody(1, bytes.toString());
      await made.recoverSpooledResponses(signal);
      expect(made.spooled.size).toBe(0);
      const [attempt] = made.job().attempts;
      expect(attempt).toMatchObject({ state: 'stored', costMicroUsd: expect.any(Number) });
      expect(attempt).not.toHaveProperty('responseLost');
      expect(made.job().usage).toMatchObject({ total_tokens: 214 * n });
    }
    expect(made.job().images).toHaveLength(n);
  });
});
