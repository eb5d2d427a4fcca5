import { describe, expect, it } from 'vitest';
import { generation } from '../../../support/generation.ts';

describe('a job of a throttled tenant', () => {
  it('waits without a call, and its wait does not count as running', async () => {
    const made = generation({ throttledForMs: 5_000 });
    expect(await made.run()).toEqual({ againInMs: 5_000 });
    expect(made.calls).toEqual([]);
    expect(made.job()).toMatchObject({
      status: 'running',
      attempts: [],
      blocked: { scope: 'moderation', code: 'moderation_throttled' },
    });
  });

  it('is tried again within seconds if the throttle lasts longer', async () => {
    const made = generation({ throttledForMs: 3_600_000 });
    expect(await made.run()).toEqual({ againInMs: 30_000 });
  });
});
