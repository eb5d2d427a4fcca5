import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { Closers } from '../lib/closers.ts';
import type { GracefulWaits } from '../lib/graceful-waits.ts';
import type { ConnectionSet } from '../lib/redis/connection-set.ts';
import type { Environment } from './local.ts';

/** Input of every step of the composition. */
export interface Root {
  readonly config: Config;
  readonly environment: Environment;
  /** Name of this process, different after every start. */
  readonly process: string;
  readonly log: Logger;
  /** Every Redis connection of this process. All of them are part of readiness. */
  readonly connections: ConnectionSet;
  /** Closes what was built, in reverse order. */
  readonly closers: Closers;
  /** Aborts when the process begins to stop. */
  readonly draining: AbortSignal;
  /** Waits for images that may last until the end of the grace period. */
  readonly gracefulWaits: GracefulWaits;
}
