import type { ComponentType } from 'preact';
import { useEffect, useErrorBoundary, useMemo, useState } from 'preact/hooks';
import { createApi } from './api/client.ts';
import { createEvents } from './api/events.ts';
import { Patterns } from './components/meter.tsx';
import { SecretDialog } from './components/secret-dialog.tsx';
import { Toasts, useToasts } from './components/toast.tsx';
import { type Session, SessionContext } from './lib/context.ts';
import { matchPath } from './lib/match-path.ts';
import { followLinks, href, navigate, useAddress } from './lib/router.ts';
import { applySettings, readSettings, type Settings, SettingsContext, useText } from './lib/settings.ts';
import { MissingScreen, NoPermission, ScreenFailed } from './missing.tsx';
import type { ScreenProps } from './screen-props.ts';
import { type ScreenEntry, screens } from './screens.ts';
import { type KeySession, useKeySession } from './session.ts';
import { Shortcuts } from './shortcuts.tsx';
import { Sidebar, useOpens } from './sidebar.tsx';
import { SignIn } from './sign-in.tsx';
import { common } from './strings/common.ts';

/** The console: settings, session, and the screen of the address. */
export function App() {
  const [settings, setSettings] = useState(readSettings);
  const keySession = useKeySession();
  useEffect(() => applySettings(settings), [settings]);
  useEffect(() => {
    // The browser would open a file that is dropped beside its field, and the page would be lost.
    const ignore = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    const types = ['dragover', 'drop'] as const;
    for (const type of types) addEventListener(type, ignore);
    return () => {
      for (const type of types) removeEventListener(type, ignore);
    };
  }, []);
  useEffect(() => {
    const types = ['click', 'auxclick'] as const;
    for (const type of types) document.addEventListener(type, followLinks);
    return () => {
      for (const type of types) document.removeEventListener(type, followLinks);
    };
  }, []);
  const context = useMemo(
    () => ({
      settings,
      change: (changes: Partial<Settings>) => setSettings((before) => ({ ...before, ...changes })),
    }),
    [settings],
  );
  return (
    <SettingsContext.Provider value={context}>
      <Patterns />
      <Signed session={keySession} />
    </SettingsContext.Provider>
  );
}

/** The page for a visitor without a key, or the console of a key. */
function Signed({ session }: { session: KeySession }) {
  const { state, key, self, signIn, retry, error, isLinkRefused } = session;
  // While a stored key is checked the page stays empty, which takes less than a moment.
  const [wasAsked, setAsked] = useState(false);
  useEffect(() => {
    if (state === 'signed-out') setAsked(true);
    if (state === 'signed-in') setAsked(false);
  }, [state]);
  if (state === 'signed-in' && key && self) return <Shell key={key} session={session} apiKey={key} />;
  if (state === 'checking' && !wasAsked) return null;
  return (
    <SignIn
      error={error}
      isLinkRefused={isLinkRefused}
      isBusy={state === 'checking'}
      onSignIn={signIn}
      onRetry={retry}
    />
  );
}

function Shell({ session, apiKey }: { session: KeySession; apiKey: string }) {
  const t = useText(common);
  const { messages, toast, remove } = useToasts();
  const { signOut } = session;
  const api = useMemo(() => createApi(apiKey, { onUnauthorized: session.end }), [apiKey, session.end]);
  const events = useMemo(() => createEvents(api), [api]);
  const end = useMemo(() => new AbortController(), [api]);
  useEffect(() => () => end.abort(), [end]);
  const { self } = session;
  if (!self) return null;
  const value: Session = {
    api,
    events,
    ended: end.signal,
    self,
    refreshSelf: session.refreshSelf,
    toast,
    isLive: document.documentElement.dataset.livemode !== 'false',
    signOut,
  };
  return (
    <SessionContext.Provider value={value}>
      <a class="skip-link" href="#content">
        {t('skip')}
      </a>
      <CurrentScreen />
      <SecretDialog />
      <Shortcuts />
      <Toasts messages={messages} remove={remove} />
    </SessionContext.Provider>
  );
}

function CurrentScreen() {
  const { path, query } = useAddress();
  const opens = useOpens();
  const first = screens.find((screen) => screen.nav && opens(screen))?.path;
  useEffect(() => {
    if (path === '/' && first) navigate(href(first), { replace: true });
  }, [path, first]);
  const found = screens.flatMap((screen) => {
    const params = matchPath(screen.path, path);
    return params ? [{ screen, params }] : [];
  })[0];
  return (
    <div class="shell">
      <Sidebar current={found?.screen.within ?? found?.screen.path} />
      {found ? (
        opens(found.screen) ? (
          <Loaded key={found.screen.path} screen={found.screen} params={found.params} query={query} />
        ) : (
          <NoPermission screen={found.screen} />
        )
      ) : path === '/' && first ? null : (
        <MissingScreen />
      )}
    </div>
  );
}

/** Loads the code of a screen and shows it. A fault of the screen leaves the sidebar, which leads to the others. */
function Loaded({ screen, ...props }: ScreenProps & { screen: ScreenEntry }) {
  const [loaded, setLoaded] = useState<ComponentType<ScreenProps> | 'failed' | null>(null);
  useEffect(() => {
    screen.load().then(
      (component) => setLoaded(() => component),
      () => setLoaded('failed'),
    );
  }, [screen]);
  const [fault] = useErrorBoundary(console.error);
  if (fault !== undefined || loaded === 'failed') return <ScreenFailed />;
  if (loaded === null) return null;
  const Screen = loaded;
  return <Screen {...props} />;
}
