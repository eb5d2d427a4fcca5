import type { Scenario } from '../scenario.ts';
import { killAfterEdits, killAfterLastByte } from './kill-after-last-byte.ts';
import { killEverything } from './kill-everything.ts';
import { killInBackground } from './kill-in-background.ts';
import { killRedis } from './kill-redis.ts';
import { killSameJob } from './kill-same-job.ts';
import { killUnderBacklog } from './kill-under-backlog.ts';
import { killUnderBudgets } from './kill-under-budgets.ts';
import { killWebhooks } from './kill-webhooks.ts';
import { killWorkers } from './kill-workers.ts';
import { loseMachine, loseMachineInBackground } from './lose-machine.ts';
import { loseWrites } from './lose-writes.ts';
import { mixed } from './mixed.ts';
import { pauseWorker } from './pause-worker.ts';
import { rollingRestarts } from './rolling-restarts.ts';
import { shortRetention } from './short-retention.ts';
import { soak } from './soak.ts';
import { storageOutage } from './storage-outage.ts';
import { wipeQueue } from './wipe-queue.ts';

/** All scenarios, in the order of their runs. */
export const scenarios: readonly Scenario[] = [
  killWorkers,
  killUnderBacklog,
  killSameJob,
  killAfterLastByte,
  killAfterEdits,
  loseMachine,
  loseMachineInBackground,
  killRedis,
  loseWrites,
  killEverything,
  pauseWorker,
  storageOutage,
  wipeQueue,
  rollingRestarts,
  killInBackground,
  killUnderBudgets,
  killWebhooks,
  mixed,
  shortRetention,
  soak,
];
