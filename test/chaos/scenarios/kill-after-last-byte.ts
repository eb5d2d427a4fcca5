import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Finding, recoveryFindings, type Scenario, type Stage, until } from '../scenario.ts';
import { killAndRestart, runnerOf } from './hurt.ts';

const quickCallsMs = [300, 600] as const;
/** So slow that an upload, which needs one round trip, has not finished at the kill. */
const storageDelayMs = 700;
const laterByMs = [0, 1_000] as const;
/** One less than workers, so that a free worker can run the job of a killed one. */
const loops = 2;
/** A killed process needs half a minute to start on a busy machine. */
const timeoutMs = 90_000;

/** Kills workers after the responses of generations. */
export const killAfterLastByte = killAfterResponses({
  name: 'after-last-byte',
  about: 'kills workers at random moments after a response is on their disk',
});

/** Kills workers after the responses of edits, half of them with previews. */
export const killAfterEdits = killAfterResponses(
  {
    name: 'after-edits',
    about: 'kills workers at random moments after the response of an edit is on their disk',
  },
  { editShare: 1, previewShare: 0.5 },
);

/**
 * Kills workers at random moments after the last byte of a response, each time for another job. No paid image may be paid
 * again. Each worker runs one job at a time, so that it has no other call in flight.
 */
function killAfterResponses(
  { name, about }: Pick<Scenario, 'name' | 'about'>,
  kind: { readonly editShare?: number; readonly previewShare?: number } = {},
): Scenario {
  return { name, about, env: { WORKER_CONCURRENCY: '1' }, run: (stage) => run(stage, kind) };
}

async function run(
  stage: Stage,
  kind: { readonly editShare?: number; readonly previewShare?: number },
): Promise<Finding[]> {
  const wanted = stage.short ? 10 : 50;
  const { storage, provider } = stage.fleet;
  await storage.set({ kind: 'latency', ms: storageDelayMs });
  let begun = 0;
  let kills = 0;
  const loop = async () => {
    while (begun < wanted) {
      begun += 1;
      const [id = ''] = await stage.accepted.submit(1, { ...kind, latencyMs: quickCallsMs });
      // A job whose image was stored before the kill does not count.
      if (await killAfterResponse(stage, id)) kills += 1;
      else begun -= 1;
    }
  };
  await Promise.all(Array.from({ length: loops }, loop));
  await storage.set({ kind: 'pass' });
  await stage.drained();
  const ids = new Set(stage.accepted.byKey.values());
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
}

/** Kills the worker of a job at a random moment after its response is complete. @returns whether the response was still on disk. */
async function killAfterResponse(stage: Stage, id: string): Promise<boolean> {
  const runner = await runnerOf(stage, id, timeoutMs);
  const spool = join(runner.dataDir, 'spool');
  const isResponse = (name: string) => name.endsWith('.response') && name.split('.')[1] === id;
  await until('the response is on the disk', timeoutMs, () => readdirSync(spool).some(isResponse));
  await sleep(stage.random.whole(...laterByMs));
  // Checked again immediately before the kill, because the file is removed before the worker starts another job.
  if (!readdirSync(spool).some(isResponse)) return false;
  await killAndRestart(stage, runner);
  return true;
}
