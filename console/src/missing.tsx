import { Button } from './components/button.tsx';
import { Note } from './components/note.tsx';
import { Page } from './components/page.tsx';
import { EmptyState } from './components/state.tsx';
import { useSession } from './lib/context.ts';
import { href } from './lib/router.ts';
import { useText } from './lib/settings.ts';
import type { ScreenEntry } from './screens.ts';
import { common } from './strings/common.ts';

/** Shown for a screen that the key does not open. The address stays, so that another key opens it. */
export function NoPermission({ screen }: { screen: ScreenEntry }) {
  const t = useText(common);
  const { signOut } = useSession();
  return (
    <Page title={screen.nav ? t(`nav.${screen.nav.title}`) : t('noPermission.title')}>
      <Note
        icon="keys"
        action={
          <Button size="sm" onClick={signOut}>
            {t('signIn')}
          </Button>
        }
      >
        <div>
          <strong>{t('noPermission.title')}</strong>{' '}
          {screen.isForOperator
            ? t.rich('noPermission.operator', { variable: <code>ADMIN_KEY</code> })
            : t.rich('noPermission.text', { scope: <code>{screen.needs}</code> })}
        </div>
      </Note>
    </Page>
  );
}

/** Shown for an address without a screen. */
export function MissingScreen() {
  const t = useText(common);
  return (
    <Page title={t('notFound.title')}>
      <EmptyState icon="info" title={t('notFound.title')} text={t('notFound.text')}>
        <a class="button button-primary" href={href('/')}>
          {t('notFound.action')}
        </a>
      </EmptyState>
    </Page>
  );
}

/** Shown if the code of a screen cannot be loaded, as after an update of the service. */
export function ScreenFailed() {
  const t = useText(common);
  return (
    <Page title={t('screenFailed.title')}>
      <EmptyState icon="warning" title={t('screenFailed.title')} text={t('screenFailed.text')}>
        <Button kind="primary" onClick={() => location.reload()}>
          {t('screenFailed.action')}
        </Button>
      </EmptyState>
    </Page>
  );
}
