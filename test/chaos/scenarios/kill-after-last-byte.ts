import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { recoveryFindings, type Scenario, type Stage, until } from '../scenario.ts';
import { killAndRestart, runnerOf } from './hurt.ts';

const quickCallsMs = [300, 600] as const;
/** So slow that storing an image, which takes one way there and one back, is not over when the blow falls. */
const storageDelayMs = 700;
const laterByMs = [0, 1_000] as const;
/** One less than workers, so that there is a free place for those whose worker was killed. */
const scopes = 2;
const timeoutMs = 30_000;

/**
 * A worker is killed at a random moment after the last byte of an answer, again and again, every time for another job:
 * nothing of what was paid for may be paid for again. A worker runs one job at a time here, so that no other call is
 * under way in it.
 */
export const killAfterLastByte: Scenario = {
  name: 'after-last-byte',
  about: 'workers are killed at random moments after an answer is on their disk',
  env: { WORKER_CONCURRENCY: '1' },
  async run(stage) {
    const wanted = stage.short ? 10 : 50;
    const { storage, provider } = stage.fleet;
    await storage.set({ kind: 'latency', ms: storageDelayMs });
    let begun = 0;
    let kills = 0;
    const scope = async () => {
      while (begun < wanted) {
        begun += 1;
        const [id = ''] = await stage.promises.generate(1, { latencyMs: quickCallsMs });
        // One that was stored too soon does not count.
        if (await killAfterResponse(stage, id)) kills += 1;
        else begun -= 1;
      }
    };
    await Promise.all(Array.from({ length: scopes }, scope));
    await storage.set({ kind: 'pass' });
    await stage.drained();
    const ids = new Set(stage.promises.byKey.values());
    const calls = provider.charges().filter((charge) => ids.has(charge.jobId)).length;
    return [
      { figure: 'kills after the last byte, each of another job', found: kills },
      {
        figure: 'calls',
        found: calls,
        allowed: `${ids.size} for ${ids.size} images`,
        ok: calls === ids.size,
      },
      ...(await recoveryFindings(stage, 20_000)),
    ];
  },
};

/** Kills whoever runs a job at a random moment after its answer is complete. @returns whether it was soon enough. */
async function killAfterResponse(stage: Stage, id: string): Promise<boolean> {
  const runner = await runnerOf(stage, id, timeoutMs);
  const spool = join(runner.dataDir, 'spool');
  const isResponse = (name: string) => name.endsWith('.response') && name.split('.')[1] === id;
  await until('the answer is on the disk', timeoutMs, () => readdirSync(spool).some(isResponse));
  await sleep(stage.random.whole(...laterByMs));
  // Looked at once more right before the blow: the file goes before the worker takes another job.
  if (!readdirSync(spool).some(isResponse)) return false;
  await killAndRestart(stage, runner);
  return true;
}
