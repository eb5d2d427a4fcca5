import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageJobView } from '../../../src/domain/job-view.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { GoodCaller } from '../fleet/good-caller.ts';

/** Polls jobs through every API process and records every status that goes back. */
export interface StatusWatch {
  readonly stepsBack: readonly string[];
  /** Returns the number of reads. */
  reads(): number;
  stop(): Promise<void>;
}

const rank: Readonly<Record<ImageJobView['status'], number>> = {
  queued: 0,
  running: 1,
  succeeded: 2,
  failed: 2,
  canceled: 2,
  expired: 2,
};
const pauseMs = 250;

/** Starts to poll the given jobs, including jobs that are added later. */
export function watchStatus(fleet: Fleet, caller: GoodCaller, jobIds: () => readonly string[]): StatusWatch {
  const stepsBack: string[] = [];
  const seen = new Map<string, ImageJobView['status']>();
  let reads = 0;
  let stopped = false;

  async function poll(id: string, url: string): Promise<void> {
    const response = await caller.once('GET', `${url}/images/${id}`);
    if (response?.status === 404) stepsBack.push(`${id} was accepted and is unknown`);
    if (response?.status !== 200) return;
    reads += 1;
    const { status } = JSON.parse(response.body.toString()) as ImageJobView;
    const before = seen.get(id) ?? 'queued';
    const isBack = rank[status] < rank[before] || (rank[before] === 2 && status !== before);
    if (isBack) stepsBack.push(`${id} went from ${before} to ${status}`);
    seen.set(id, status);
  }

  async function run(): Promise<void> {
    while (!stopped) {
      for (const id of jobIds()) {
        // Sequentially, because responses of concurrent reads have no order.
        for (const api of fleet.apis) if (api.isUp()) await poll(id, api.url());
      }
      await sleep(pauseMs);
    }
  }
  const running = run();
  return {
    stepsBack,
    reads: () => reads,
    async stop() {
      stopped = true;
      await running;
    },
  };
}
