import { describe, expect, it, onTestFinished } from 'vitest';
import { jobThat } from '../support/caller.ts';
import { startService } from '../support/service.ts';
import { imageCalls } from '../support/service-environment.ts';

describe('waiting jobs', () => {
  it('waiting jobs run by priority, then by age, and each shows its queue position', async () => {
    const { acme, studio, close } = await startService({ WORKER_CONCURRENCY: '1' });
    onTestFinished(close);
    const first = await acme.submit({ prompt: 'Running [studio:latency=1000]' });
    await jobThat(acme, first.id, (job) => job.stage === 'generating');
    const waiting = [];
    for (const [prompt, priority] of [
      ['low', 'low'],
      ['normal', 'normal'],
      ['high 1', 'high'],
      ['high 2', 'high'],
    ]) {
      waiting.push(await acme.submit({ prompt, priority }));
    }
    const positions = await Promise.all(waiting.map(async ({ id }) => (await acme.job(id)).queue.position));
    await Promise.all(waiting.map(({ id }) => acme.ended(id)));

    expect(positions).toEqual([3, 2, 0, 1]);
    expect(imageCalls(studio).map((call) => call.prompt)).toEqual([
      'Running [studio:latency=1000]',
      'high 1',
      'high 2',
      'normal',
      'low',
    ]);
  });
});
