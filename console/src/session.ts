import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ApiError } from './api/api-error.ts';
import { createApi } from './api/client.ts';
import type { OwnKey } from './api/types.ts';
import { asApiError } from './api/use-live.ts';

const storedName = 'darkroom.key';

/** The key of the tab, from its first state to the signed-in one. */
export interface KeySession {
  readonly state: 'checking' | 'signed-out' | 'signed-in';
  readonly key: string | null;
  readonly self: OwnKey | null;
  readonly error: ApiError | null;
  readonly isLinkRefused: boolean;
  readonly signIn: (key: string) => void;
  /** Checks the key of the tab again, after a check that failed for a moment. Null if there is none. */
  readonly retry: (() => void) | null;
  readonly signOut: () => void;
  /** Ends the session of a key that the service refuses. */
  readonly end: (error: ApiError) => void;
  readonly refreshSelf: () => void;
}

type State = Pick<KeySession, 'state' | 'key' | 'self' | 'error' | 'isLinkRefused'>;

const signedOut: State = { state: 'signed-out', key: null, self: null, error: null, isLinkRefused: false };

/** Holds the API key in the storage of the tab, and checks it with `GET /keys/self`. */
export function useKeySession(): KeySession {
  const [state, setState] = useState<State>({ ...signedOut, state: 'checking' });
  const actions = useMemo(() => {
    const check = async (key: string) => {
      try {
        const self = await createApi(key).call<OwnKey>('/keys/self');
        sessionStorage.setItem(storedName, key);
        setState({ ...signedOut, state: 'signed-in', key, self });
      } catch (error) {
        const failure = asApiError(error);
        if (failure.status === 401) sessionStorage.removeItem(storedName);
        setState({ ...signedOut, error: failure });
      }
    };
    return {
      check,
      signIn(key: string) {
        setState({ ...signedOut, state: 'checking' });
        void check(key);
      },
      signOut() {
        sessionStorage.removeItem(storedName);
        setState(signedOut);
      },
      end(error: ApiError) {
        sessionStorage.removeItem(storedName);
        setState({ ...signedOut, error });
      },
    };
  }, []);

  useEffect(() => {
    // A link that is opened in the tab of the console changes only the fragment.
    const takeLink = () => {
      const token = takeToken();
      if (token) void start(token);
    };
    addEventListener('hashchange', takeLink);
    void start(takeToken());
    return () => removeEventListener('hashchange', takeLink);
    async function start(token: string | null) {
      const exchanged = token ? await exchange(token) : null;
      const key = exchanged ?? sessionStorage.getItem(storedName);
      if (key) return actions.check(key);
      setState({ ...signedOut, isLinkRefused: token !== null });
    }
  }, [actions]);

  // A refused key is not in the storage any more.
  const storedKey = sessionStorage.getItem(storedName);
  return {
    ...state,
    signIn: actions.signIn,
    retry: state.error && storedKey ? () => actions.signIn(storedKey) : null,
    signOut: actions.signOut,
    end: actions.end,
    refreshSelf: () => {
      const { key } = state;
      if (key) {
        createApi(key)
          .call<OwnKey>('/keys/self')
          .then((self) => setState((before) => (before.key === key ? { ...before, self } : before)))
          // The figures of the budgets stay as they are. The next call of the screen reports the failure.
          .catch(() => undefined);
      }
    },
  };
}

/** Returns the token of a sign-in link, and removes it from the address. */
function takeToken(): string | null {
  const token = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (!token) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return token;
}

async function exchange(token: string): Promise<string | null> {
  try {
    const response = await fetch('/console/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    return response.ok ? ((await response.json()) as { key: string }).key : null;
  } catch {
    return null;
  }
}
