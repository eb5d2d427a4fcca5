import { Client } from 'undici';

export interface ConnectionPoolOptions {
  /** Of one receiver to one scheme, host and port. */
  readonly connectionsPerDestination: number;
  /** After this a connection is not used again, so that a name which moved is asked for anew; milliseconds. */
  readonly maxAgeMs: number;
  readonly client: Client.Options;
}

/** Who shares connections. Receivers at one host have nothing in common: one that hangs must not use up the others'. */
export interface Line {
  readonly destination: string;
  readonly origin: string;
}

export interface ConnectionPool {
  /**
   * Calls back with a connection for one request: at once if one is idle or may still be opened, else in the order of
   * asking.
   *
   * @returns steps out of the line; does nothing after the call back.
   */
  take(line: Line, onTurn: (connection: Client) => void): () => void;
  /** Ends the use of a connection: it is kept for the next request if `usable`, else destroyed with its socket. */
  giveBack(line: Line, connection: Client, usable: boolean): void;
  /** Closes what is idle. Connections in use close when they are given back. */
  close(): void;
}

interface State {
  inUse: number;
  readonly idle: Client[];
  readonly waiting: Set<(connection: Client) => void>;
}

/**
 * Keep-alive connections, each lent to one request at a time. In undici's own pool an aborted request stays in the
 * queue of its client, which opens another connection only to drop it; here the connection goes with the request.
 */
export function createConnectionPool(options: ConnectionPoolOptions): ConnectionPool {
  const states = new Map<string, State>();
  const openedAtMs = new WeakMap<Client, number>();
  let closed = false;

  const nameOf = ({ destination, origin }: Line) => `${origin} ${destination}`;
  const stateOf = (line: Line): State => {
    const known = states.get(nameOf(line)) ?? { inUse: 0, idle: [], waiting: new Set() };
    states.set(nameOf(line), known);
    return known;
  };
  const deleteIfUnused = (line: Line, { inUse, idle }: State): void => {
    if (inUse === 0 && idle.length === 0) states.delete(nameOf(line));
  };
  const open = (line: Line, state: State): Client => {
    const { idle } = state;
    const connection = new Client(line.origin, options.client);
    openedAtMs.set(connection, performance.now());
    connection.on('disconnect', () => {
      const at = idle.indexOf(connection);
      if (at === -1) return;
      idle.splice(at, 1);
      void connection.destroy();
      deleteIfUnused(line, state);
    });
    return connection;
  };
  const isYoung = (connection: Client): boolean =>
    performance.now() - (openedAtMs.get(connection) ?? 0) < options.maxAgeMs;
  /** It may have grown old while nobody needed it. */
  const youngIdle = ({ idle }: State): Client | undefined => {
    for (let connection = idle.pop(); connection; connection = idle.pop()) {
      if (isYoung(connection)) return connection;
      void connection.destroy();
    }
    return undefined;
  };

  return {
    take(line, onTurn) {
      const state = stateOf(line);
      if (state.inUse >= options.connectionsPerDestination) {
        state.waiting.add(onTurn);
        return () => void state.waiting.delete(onTurn);
      }
      state.inUse += 1;
      onTurn(youngIdle(state) ?? open(line, state));
      return () => undefined;
    },
    giveBack(line, connection, usable) {
      const state = stateOf(line);
      const kept = usable && !closed && isYoung(connection);
      if (!kept) void connection.destroy();
      const [next] = state.waiting;
      if (next) {
        state.waiting.delete(next);
        next(kept ? connection : open(line, state));
        return;
      }
      state.inUse -= 1;
      if (kept) state.idle.push(connection);
      deleteIfUnused(line, state);
    },
    close() {
      closed = true;
      for (const { idle } of states.values()) {
        for (const connection of idle.splice(0)) void connection.destroy();
      }
    },
  };
}
