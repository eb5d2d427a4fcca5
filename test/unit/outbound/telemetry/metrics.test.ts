import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../../src/outbound/telemetry/metrics.ts';

describe('metrics scrapes', () => {
  it('queries the store once for simultaneous scrapes and again for a later scrape', async () => {
    let asked = 0;
    const metrics = createMetrics(async () => {
      asked += 1;
      await new Promise(setImmediate);
      return {
        queueTasks: [],
        oldestJobs: [],
        unarchivedSeconds: 0,
        pendingDeliveries: asked,
        isAofOn: true,
        memory: { usedBytes: 900, limitBytes: 1_000 },
        blockedScopes: [{ provider: 'openai', kind: 'account', code: 'provider_quota_exhausted', count: 1 }],
      };
    });
    const pendingIn = (text: string) => /^darkroom_webhook_deliveries_pending (\d+)$/m.exec(text)?.[1];
    const together = await Promise.all(Array.from({ length: 20 }, () => metrics.render()));
    expect(together.map(({ text }) => pendingIn(text))).toEqual(together.map(() => '1'));
    expect(pendingIn((await metrics.render()).text)).toBe('2');
  });
});
