import { Client } from 'undici';

export interface ConnectionPoolOptions {
  /** For each scheme, host and port. */
  readonly connectionsPerOrigin: number;
  /** After this a connection is not used again, so that a name which moved is asked for anew; milliseconds. */
  readonly maxAgeMs: number;
  readonly client: Client.Options;
}

export interface ConnectionPool {
  /**
   * Calls back with a connection for one request: at once if one is idle or may still be opened, else in the order of
   * asking.
   *
   * @returns steps out of the line; does nothing after the call back.
   */
  take(origin: string, onTurn: (connection: Client) => void): () => void;
  /** Ends the use of a connection: it is kept for the next request if `usable`, else destroyed with its socket. */
  giveBack(origin: string, connection: Client, usable: boolean): void;
  /** Closes what is idle. Connections in use close when they are given back. */
  close(): void;
}

interface Origin {
  inUse: number;
  readonly idle: Client[];
  readonly line: Set<(connection: Client) => void>;
}

/**
 * Keep-alive connections, each lent to one request at a time. In undici's own pool an aborted request stays in the
 * queue of its client, which opens another connection only to drop it; here the connection goes with the request.
 */
export function createConnectionPool(options: ConnectionPoolOptions): ConnectionPool {
  const origins = new Map<string, Origin>();
  const openedAtMs = new WeakMap<Client, number>();
  let closed = false;

  const originOf = (name: string): Origin => {
    const known = origins.get(name) ?? { inUse: 0, idle: [], line: new Set() };
    origins.set(name, known);
    return known;
  };
  const forgetIfUnused = (name: string, { inUse, idle }: Origin): void => {
    if (inUse === 0 && idle.length === 0) origins.delete(name);
  };
  const open = (name: string, origin: Origin): Client => {
    const connection = new Client(name, options.client);
    openedAtMs.set(connection, performance.now());
    connection.on('disconnect', () => {
      const at = origin.idle.indexOf(connection);
      if (at === -1) return;
      origin.idle.splice(at, 1);
      void connection.destroy();
      forgetIfUnused(name, origin);
    });
    return connection;
  };
  const isYoung = (connection: Client): boolean =>
    performance.now() - (openedAtMs.get(connection) ?? 0) < options.maxAgeMs;

  return {
    take(name, onTurn) {
      const origin = originOf(name);
      if (origin.inUse >= options.connectionsPerOrigin) {
        origin.line.add(onTurn);
        return () => void origin.line.delete(onTurn);
      }
      origin.inUse += 1;
      onTurn(origin.idle.pop() ?? open(name, origin));
      return () => undefined;
    },
    giveBack(name, connection, usable) {
      const origin = originOf(name);
      const kept = usable && !closed && isYoung(connection);
      if (!kept) void connection.destroy();
      const [next] = origin.line;
      if (next) {
        origin.line.delete(next);
        next(kept ? connection : open(name, origin));
        return;
      }
      origin.inUse -= 1;
      if (kept) origin.idle.push(connection);
      forgetIfUnused(name, origin);
    },
    close() {
      closed = true;
      for (const { idle } of origins.values()) {
        for (const connection of idle.splice(0)) void connection.destroy();
      }
    },
  };
}
