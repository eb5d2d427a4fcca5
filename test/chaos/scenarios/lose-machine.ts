import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { recoveryFindings, type Scenario, type Stage, until } from '../scenario.ts';
import { anyUp, runnerOf } from './hurt.ts';

const callMs = 4_000;
/** So long after the start of a run that the call has begun and the provider has named it. */
const intoTheCallMs = 1_500;
const timeoutMs = 60_000;

/** Loses the machines of edits in the Images API, where a lost call costs a second one. */
export const loseMachine = scenarioOf('lose-machine', {});

/** Loses the machines of edits in background mode, where the next worker polls for the image. */
export const loseMachineInBackground = scenarioOf('lose-machine-background', { OPENAI_MODE: 'responses' });

/**
 * Kills the worker of an edit with previews during its call, and an API process. Deletes the data folder of both, so that only
 * Redis and the storage remain. Another worker must continue with the same inputs before the lost one is replaced.
 */
function scenarioOf(name: string, env: Readonly<Record<string, string>>): Scenario {
  const isBackground = env.OPENAI_MODE === 'responses';
  return {
    name,
    about: `loses the machine that runs an edit${isBackground ? ' while OPENAI_MODE is responses' : ''}`,
    env: { ...env, WORKER_CONCURRENCY: '1' },
    async run(stage) {
      const losses = stage.short ? 2 : 8;
      for (let loss = 0; loss < losses; loss++) await loseRunner(stage);
      await stage.drained();
      const { byKey } = stage.accepted;
      const ids = new Set(byKey.values());
      const calls = stage.fleet.provider.charges().filter((charge) => ids.has(charge.jobId)).length;
      const allowed = isBackground ? ids.size : ids.size + losses;
      return [
        { figure: 'machines lost', found: losses },
        { figure: 'calls', found: calls, allowed: `at most ${allowed}`, ok: calls <= allowed },
        ...(await recoveryFindings(stage, 20_000)),
      ];
    },
  };
}

async function loseRunner(stage: Stage): Promise<void> {
  const { fleet, accepted, caller } = stage;
  const [id = ''] = await accepted.submit(1, {
    latencyMs: [callMs, callMs],
    editShare: 1,
    previewShare: 1,
  });
  const runner = await runnerOf(stage, id, timeoutMs);
  await sleep(intoTheCallMs);
  const api = await anyUp(stage, fleet.apis, 2);
  for (const member of [runner, api]) {
    await fleet.kill(member);
    rmSync(member.dataDir, { recursive: true });
  }
  void api.start();
  await until(`${id} has ended`, timeoutMs, async () => (await caller.job(id))?.status === 'succeeded');
  await runner.start();
}
