import { setTimeout as sleep } from 'node:timers/promises';
import { concurrency } from '../fleet/fleet.ts';
import { type Scenario, type Stage, until } from '../scenario.ts';

/** Time of the writes that are lost, as with an append-only file that is synced every second. */
const lostMs = 1_000;
/** Latencies of calls that begin before the lost time and mostly end in it. */
const latencyMs = [600, 1_400] as const;
const endLimitMs = 180_000;

/**
 * Takes Redis back by one second, in which images were stored. The calls began before, so their rows remain. The files of
 * their responses are gone, so only the storage knows the images.
 */
export const loseWrites: Scenario = {
  name: 'lost-writes',
  about: 'loses the last second of writes of Redis, in which images were stored',
  losesWrites: true,
  // A fleet of its own, because the terminal events of these jobs may arrive again with other times.
  env: {},
  async run(stage) {
    const rounds = stage.short ? 1 : 5;
    let lostImages = 0;
    for (let round = 0; round < rounds; round += 1) lostImages += await loseOneSecond(stage);
    return [
      { figure: 'losses', found: rounds },
      {
        figure: 'images whose records were lost',
        found: lostImages,
        allowed: 'at least 1',
        ok: lostImages > 0,
      },
    ];
  },
};

/** Resolves with the number of jobs that had ended and run again, when all of them have ended. */
async function loseOneSecond(stage: Stage): Promise<number> {
  const { fleet, caller, accepted } = stage;
  const slots = fleet.workers.length * concurrency;
  const ids = await accepted.submit(slots, { latencyMs, maxConcurrent: slots });
  const jobs = () => Promise.all(ids.map((id) => caller.job(id)));
  await until('every call has begun', endLimitMs, async () =>
    (await jobs()).every((job) => job !== null && job.attempts.length > 0),
  );
  const loseWritesSince = fleet.redis.markWrites();
  await sleep(lostMs);
  const ended = (await jobs()).filter((job) => job?.status === 'succeeded').length;
  await loseWritesSince();
  await until('every job has ended again', endLimitMs, async () =>
    (await jobs()).every((job) => job?.finished_at != null),
  );
  return ended;
}
