import type { Cluster, Redis } from 'ioredis';
import type { SendLimits } from '../../../domain/ports.ts';
import type { Keys } from '../keys.ts';
import { translated } from '../store-errors.ts';
import { createClaimSends } from './scripts/claim-sends.ts';
import { createRecordReachability } from './scripts/record-reachability.ts';

/** Creates the limits of webhook requests in Redis. All processes of a deployment share them. */
export function createSendLimits(redis: Redis | Cluster, keys: Keys): SendLimits {
  const claim = createClaimSends(redis, keys);
  const record = createRecordReachability(redis, keys);
  return {
    claim: (claimed) => translated(() => claim(claimed)),
    record: (tenant, host, outcome) => translated(() => record(tenant, host, outcome)),
  };
}
