import { Client } from 'undici';

export interface ConnectionPoolOptions {
  /** Maximum number of connections of one destination to one scheme, host and port. */
  readonly connectionsPerDestination: number;
  /**
   * Maximum age of a connection that is reused, in milliseconds. The limit makes the sender resolve names again, because
   * their addresses may change.
   */
  readonly maxAgeMs: number;
  readonly client: Client.Options;
}

/**
 * Key of connections that are shared. Destinations at one host share none, so a hanging destination cannot use up the
 * connections of the others.
 */
export interface Line {
  readonly destination: string;
  readonly origin: string;
}

export interface ConnectionPool {
  /**
   * Calls `onTurn` with a connection for one request. The call is synchronous if a connection is idle or may be opened.
   * Otherwise requests wait in order of arrival.
   *
   * @returns a function that stops waiting. It does nothing after `onTurn` was called.
   */
  acquire(line: Line, onTurn: (connection: Client) => void): () => void;
  /** Releases a connection. Reuses it for the next request if `usable`, otherwise destroys it with its socket. */
  release(line: Line, connection: Client, usable: boolean): void;
  /** Closes idle connections. Connections in use are closed when they are released. */
  close(): void;
}

interface State {
  inUse: number;
  readonly idle: Client[];
  readonly waiting: Set<(connection: Client) => void>;
}

/**
 * Creates a pool of keep-alive connections. Each connection serves one request at a time.
 *
 * undici's own pool is not used. It leaves an aborted request in the queue of its client, which then opens another
 * connection only to drop the request. This pool destroys the connection together with the request.
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
  /** Returns an idle connection. Destroys those that exceeded the maximum age while they were idle. */
  const youngIdle = ({ idle }: State): Client | undefined => {
    for (let connection = idle.pop(); connection; connection = idle.pop()) {
      if (isYoung(connection)) return connection;
      void connection.destroy();
    }
    return undefined;
  };

  return {
    acquire(line, onTurn) {
      const state = stateOf(line);
      if (state.inUse >= options.connectionsPerDestination) {
        state.waiting.add(onTurn);
        return () => void state.waiting.delete(onTurn);
      }
      state.inUse += 1;
      onTurn(youngIdle(state) ?? open(line, state));
      return () => undefined;
    },
    release(line, connection, usable) {
      const state = stateOf(line);
      const isReusable = usable && !closed && isYoung(connection);
      if (!isReusable) void connection.destroy();
      const [next] = state.waiting;
      if (next) {
        state.waiting.delete(next);
        next(isReusable ? connection : open(line, state));
        return;
      }
      state.inUse -= 1;
      if (isReusable) state.idle.push(connection);
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
