import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
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

describe('metrics of webhook attempts', () => {
  it('have no more outcomes than there are known statuses, whatever statuses endpoints invent', async () => {
    const metrics = createMetrics(() => Promise.reject(new AppError('store_unavailable')));
    for (let status = 100; status < 1_000; status++) metrics.webhookAttempt(`http_${status}`, 0.1);
    metrics.webhookAttempt('timeout', 15);
    const { text } = await metrics.render();
    const counts = text.match(/^darkroom_webhook_attempt_duration_seconds_count.*$/gm) ?? [];
    expect(counts.length).toBeLessThan(80);
    expect(text).toMatch(/_count\{outcome="http_500"\} 1$/m);
    expect(text).toMatch(/_count\{outcome="http_other"\} \d{3}$/m);
    expect(text).toMatch(/_count\{outcome="timeout"\} 1$/m);
  });
});
