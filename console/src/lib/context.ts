import { createContext } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { Api } from '../api/client.ts';
import type { Events, StreamState } from '../api/events.ts';
import type { ImageEvent, OwnKey } from '../api/types.ts';

/** Scopes that a screen may need. `operator` is the key of the operator, ADMIN_KEY. */
export type Need = 'images:read' | 'images:write' | 'webhooks' | 'admin';

/** The session of a signed-in user. */
export interface Session {
  readonly api: Api;
  readonly events: Events;
  /** Aborted at the end of the session. */
  readonly ended: AbortSignal;
  /** The key of the session, as `GET /keys/self` shows it. */
  readonly self: OwnKey;
  /** Reads the key again, for example after a job has changed the budgets. */
  readonly refreshSelf: () => void;
  /** Shows a message that confirms a finished action. */
  readonly toast: (message: string) => void;
  /** Whether images come from a real provider. Offline images cost nothing. */
  readonly isLive: boolean;
  readonly signOut: () => void;
}

export const SessionContext = createContext<Session | null>(null);

/** Returns the session. Screens exist only within one. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('there is no session');
  return session;
}

/** Returns whether the key of the session has a scope. `admin` includes all others. */
export function useCan(): (need: Need) => boolean {
  const { self } = useSession();
  return (need) => self.scopes.includes(need) || self.scopes.includes('admin');
}

/** Calls a function for every event of the tenant's jobs, or of one job. */
export function useEvents(onEvent: (event: ImageEvent) => void, jobId?: string): void {
  const { events } = useSession();
  const latest = useRef(onEvent);
  latest.current = onEvent;
  useEffect(
    () =>
      events.subscribe((event) => {
        if (jobId === undefined || event.id === jobId) latest.current(event);
      }),
    [events, jobId],
  );
}

/** Returns the state of the stream of events. */
export function useStreamState(): StreamState {
  const { events } = useSession();
  const [state, setState] = useState(events.state);
  useEffect(() => events.watch(setState), [events]);
  return state;
}
