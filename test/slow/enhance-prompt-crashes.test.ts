import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Caller } from '../support/caller.ts';
import { createEnvironment, textCalls } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

// The lock of a killed worker lives for ten seconds, and every kill needs a new process.
vi.setConfig({ testTimeout: 120_000 });

const withTime = { timeout: 30_000, interval: 50 };

/** Creates a deployment whose processes the test starts and kills. */
async function createDeployment() {
  const environment = await createEnvironment();
  const started: Awaited<ReturnType<typeof startServiceProcess>>[] = [];
  onTestFinished(async () => {
    await Promise.all(started.map((each) => each.stop('SIGKILL')));
    await environment.remove();
  });
  return {
    calls: () => textCalls(environment.studio).length,
    async start(ROLES: string) {
      const process = await startServiceProcess({ ...environment.env, ROLES });
      started.push(process);
      return process;
    },
  };
}

const enhance = (caller: Caller, prompt: string) =>
  caller.post('/prompts/enhance').set('idempotency-key', 'of-the-enhancement').send({ prompt });

describe('an enhancement', () => {
  it('survives the death of the API process, and a repetition gets its result without a second payment', async () => {
    const { calls, start } = await createDeployment();
    const [first] = await Promise.all([start('api'), start('worker')]);
    const prompt = 'A tern [studio:enhance-latency=2000]';
    const lost = enhance(first.acme, prompt).then(
      () => 'response',
      () => 'no response',
    );
    await vi.waitFor(() => expect(calls()).toBe(1), withTime);
    await first.stop('SIGKILL');
    expect(await lost).toBe('no response');
    const second = await start('api');
    const { body } = await enhance(second.acme, prompt).expect(200).expect('idempotent-replayed', 'true');
    expect(body).toMatchObject({ enhanced: expect.stringMatching(/tern/i), cost: { billing: 'charged' } });
    expect(calls()).toBe(1);
  });

  it('fails with worker_lost if its worker dies during the call, and the call is never repeated', async () => {
    const { calls, start } = await createDeployment();
    const [api, worker] = await Promise.all([start('api'), start('worker')]);
    const waiting = enhance(api.acme, 'A plover [studio:enhance-hang]').then((response) => response);
    await vi.waitFor(() => expect(calls()).toBe(1), withTime);
    await worker.stop('SIGKILL');
    await start('worker');
    const { status, body, headers } = await waiting;
    expect([status, body.code]).toEqual([500, 'worker_lost']);
    expect(body.detail).toMatch(/A charge is possible\.$/);
    const id = headers['x-darkroom-job-id'] ?? '';
    expect(await api.acme.job(id)).toMatchObject({
      cost: { micro_usd: null, billing: 'possible' },
      attempts: [{ kind: 'enhance', state: 'uncertain', error: 'worker_lost' }],
    });
    await enhance(api.acme, 'A plover [studio:enhance-hang]').expect(500);
    expect(calls()).toBe(1);
  });
});
