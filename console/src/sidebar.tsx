import { AccountCard, Preferences } from './components/account.tsx';
import { FailingEndpoints } from './components/failing-endpoints.tsx';
import { Icon } from './components/icon.tsx';
import { useCan, useSession } from './lib/context.ts';
import { href } from './lib/router.ts';
import { useText } from './lib/settings.ts';
import { type ScreenEntry, screens } from './screens.ts';
import { common } from './strings/common.ts';

/** Returns whether the key of the session opens a screen. */
export function useOpens(): (screen: ScreenEntry) => boolean {
  const can = useCan();
  const { self } = useSession();
  return ({ needs, isForOperator = false }) =>
    (needs === null || can(needs)) && (!isForOperator || self.operator);
}

/** Links to the screens that the key opens. On narrow screens it is a bar at the bottom. */
export function Sidebar({ current }: { current: string | undefined }) {
  const t = useText(common);
  const opens = useOpens();
  return (
    <nav class="sidebar" aria-label={t('main')}>
      <a class="brand" href={href('/')}>
        <img class="brand-mark" src={iconAddress()} alt="" />
        Darkroom
      </a>
      <div class="nav">
        {screens.filter(opens).map(({ path, nav }) =>
          nav ? (
            <a
              key={path}
              class="nav-link"
              href={href(path)}
              aria-current={path === current ? 'page' : undefined}
            >
              <Icon name={nav.icon} />
              <span>{t(`nav.${nav.title}`)}</span>
              {nav.title === 'webhooks' ? <FailingEndpoints /> : null}
            </a>
          ) : null,
        )}
      </div>
      <div class="sidebar-foot">
        <div class="row">
          <a class="button button-quiet button-sm" href="/docs">
            <Icon name="docs" />
            {t('nav.docs')}
          </a>
          <Preferences />
        </div>
        <AccountCard />
      </div>
    </nav>
  );
}

/** Returns the address of the icon, which the page names. */
export function iconAddress(): string {
  return document.querySelector<HTMLLinkElement>('link[rel=icon]')?.href ?? '';
}
