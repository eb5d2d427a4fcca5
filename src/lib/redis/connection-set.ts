import { sleep } from '../sleep.ts';
import { describeConnectionFault } from './connection-fault.ts';
import type { RedisClient } from './redis.ts';
import { isRedisOutage } from './redis-errors.ts';

/** How a connection is used. A blocking read delays every further command, so its connection gets no probe. */
export type ConnectionUse = 'commands' | 'subscriptions' | 'blocking reads';

interface Member {
  readonly name: string;
  /** Rejects with the reason if the connection is not usable. */
  check(): Promise<void>;
  isReady(): boolean;
  /** Opens the connection again if it was opened before a moment. */
  reconnect(beforeMs: number): void;
}

/** All Redis connections of a process. */
export interface ConnectionSet {
  /** Adds a connection and returns it. `lastError` returns the error of the last attempt to connect. */
  add(
    name: string,
    client: RedisClient,
    options: { use: ConnectionUse; lastError: () => unknown },
  ): RedisClient;
  /** Adds a connection that a library keeps for blocking reads, so that no command can be sent to it. */
  addBlocking(name: string, isReady: () => boolean): void;
  /** Waits until all connections are usable, at most `limitMs`. */
  whenReady(limitMs: number): Promise<void>;
  /**
   * Checks every connection: those for commands by a write, because PING succeeds while every write fails.
   *
   * @throws Error that names each unusable connection and the reason.
   */
  check(): Promise<void>;
  /** Opens all connections again by name, because the server turned out to be the wrong one. */
  reconnect(): void;
}

/**
 * Time within which wrong-server replies belong to one failover, in milliseconds. Connections notice a failover at
 * different times.
 */
const failoverMs = 30_000;
const probeTtlMs = 60_000;
/** Timeout of a probe. Shorter than the timeout of readiness, so that the report names the connection. */
const probeLimitMs = 1_400;
const pollMs = 20;

/** Creates an empty set. @param probeKey key that checks write. */
export function createConnectionSet(probeKey: string): ConnectionSet {
  const members: Member[] = [];
  let failedOverAtMs = Number.NEGATIVE_INFINITY;

  async function checkMember({ name, check }: Member): Promise<string | null> {
    const timeout = sleep(probeLimitMs).then(() => {
      throw new Error('no reply in time');
    });
    timeout.catch(() => {});
    return Promise.race([check(), timeout]).then(
      () => null,
      (error: Error) => `connection ${name}: ${error.message}`,
    );
  }

  return {
    add(name, client, { use, lastError }) {
      let readyAtMs = performance.now();
      client.on('ready', () => {
        readyAtMs = performance.now();
      });
      const isReady = () => client.status === 'ready';
      members.push({
        name,
        isReady,
        async check() {
          if (!isReady()) throw new Error(describeConnectionFault(lastError()));
          if (use === 'blocking reads') return;
          const reply = use === 'commands' ? client.set(probeKey, '1', 'PX', probeTtlMs) : client.ping();
          await reply.catch((error: unknown) => {
            throw isRedisOutage(error) ? new Error(describeConnectionFault(error), { cause: error }) : error;
          });
        },
        reconnect(beforeMs) {
          if (isReady() && readyAtMs < beforeMs) client.disconnect(true);
        },
      });
      return client;
    },
    addBlocking(name, isReady) {
      members.push({
        name,
        isReady,
        async check() {
          if (!isReady()) throw new Error('cannot be reached');
        },
        reconnect() {},
      });
    },
    async whenReady(limitMs) {
      const endMs = performance.now() + limitMs;
      while (performance.now() < endMs && !members.every((member) => member.isReady())) await sleep(pollMs);
    },
    async check() {
      const faults = (await Promise.all(members.map(checkMember))).filter((fault) => fault !== null);
      if (faults.length > 0) throw new Error(faults.join('; '));
    },
    reconnect() {
      const nowMs = performance.now();
      if (nowMs - failedOverAtMs > failoverMs) failedOverAtMs = nowMs;
      for (const member of members) member.reconnect(failedOverAtMs);
    },
  };
}
