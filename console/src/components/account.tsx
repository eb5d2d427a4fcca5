import { useState } from 'preact/hooks';
import { useSession } from '../lib/context.ts';
import { themes, useSettings, useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';

/** Buttons for the theme and the language. */
export function Preferences() {
  const t = useText(common);
  const { settings, change } = useSettings();
  const nextTheme = themes[(themes.indexOf(settings.theme) + 1) % themes.length] ?? 'system';
  return (
    <>
      <Button
        kind="quiet"
        size="sm"
        className="push"
        icon={settings.theme === 'light' ? 'sun' : settings.theme === 'dark' ? 'moon' : 'half'}
        label={t(`theme.${settings.theme}`)}
        onClick={() => change({ theme: nextTheme })}
      />
      <Button
        kind="quiet"
        size="sm"
        icon="globe"
        label={t('language')}
        onClick={() => change({ language: settings.language === 'en' ? 'zh-Hans' : 'en' })}
      />
    </>
  );
}

/** The tenant and the key of the session, with a button that signs out. */
export function AccountCard() {
  const t = useText(common);
  const { self, signOut } = useSession();
  return (
    <div class="card">
      <div class="row card-body">
        <div class="grow stack stack-tight">
          <span class="strong truncate">{self.tenant}</span>
          <span class="faint truncate" title={self.id}>
            {self.name || self.id}
          </span>
        </div>
        <Button kind="quiet" size="sm" icon="sign-out" label={t('signOut')} onClick={signOut} />
      </div>
    </div>
  );
}

/** On narrow screens, opens a dialog with account, theme and language, which the sidebar shows otherwise. */
export function AccountButton() {
  const t = useText(common);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button
        kind="quiet"
        icon="person"
        className="narrow-only push"
        label={t('account')}
        onClick={() => setOpen(true)}
      />
      {isOpen ? (
        <Dialog title={t('account')} onClose={() => setOpen(false)}>
          <AccountCard />
          <div class="row">
            <a class="button button-quiet button-sm" href="/docs">
              {t('nav.docs')}
            </a>
            <Preferences />
          </div>
          <Button onClick={() => setOpen(false)}>{t('close')}</Button>
        </Dialog>
      ) : null}
    </>
  );
}
