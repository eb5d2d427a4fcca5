import { useRef, useState } from 'preact/hooks';
import { Button } from './components/button.tsx';
import { Dialog } from './components/dialog.tsx';
import { href, navigate } from './lib/router.ts';
import { useSettings, useText } from './lib/settings.ts';
import { type Keys, useKeys } from './lib/shortcuts.ts';
import { screens } from './screens.ts';
import { useOpens } from './sidebar.tsx';
import { common } from './strings/common.ts';

/** Time after `g` in which the second key counts. */
const sequenceMs = 1_500;

/** The shortcuts of all screens, and the dialog that lists them. */
export function Shortcuts() {
  const [isOpen, setOpen] = useState(false);
  const opens = useOpens();
  const startedAt = useRef(0);
  const targets = screens.filter(opens).flatMap(({ nav, path }) => (nav ? [{ ...nav, path }] : []));
  const keys: Record<string, Keys[string]> = {
    g: () => {
      startedAt.current = Date.now();
    },
    '?': () => setOpen(true),
    '/': (event) => {
      const filter = document.querySelector<HTMLElement>('[data-first-filter]');
      if (!filter) return;
      event.preventDefault();
      filter.focus();
    },
  };
  for (const { key, path } of targets) {
    keys[key] = (event) => {
      if (Date.now() - startedAt.current > sequenceMs) return;
      startedAt.current = 0;
      event.preventDefault();
      navigate(href(path));
    };
  }
  useKeys(keys);
  return isOpen ? <Help targets={targets} onClose={() => setOpen(false)} /> : null;
}

interface Target {
  readonly title: string;
  readonly key: string;
}

function Help({ targets, onClose }: { targets: readonly Target[]; onClose: () => void }) {
  const t = useText(common);
  const { settings, change } = useSettings();
  return (
    <Dialog title={t('keysHelp.title')} onClose={onClose}>
      <dl class="facts">
        {targets.map(({ key, title }) => (
          <Row key={key} keys={['g', key]} text={t(`nav.${title}` as 'nav.playground')} />
        ))}
        <Row keys={['/']} text={t('keysHelp.filter')} />
        <Row keys={['?']} text={t('keysHelp.help')} />
        <Row keys={['Esc']} text={t('keysHelp.escape')} />
        <Row keys={['Ctrl', '↵']} text={t('keysHelp.generate')} />
        <Row keys={['←', '↑', '→', '↓']} text={t('keysHelp.move')} />
        <Row keys={['↵']} text={t('keysHelp.open')} />
        <Row keys={['x']} text={t('keysHelp.mark')} />
        <Row keys={['c']} text={t('keysHelp.compare')} />
        <Row keys={['Delete']} text={t('keysHelp.erase')} />
        <Row keys={['j', 'k']} text={t('keysHelp.job')} />
        <Row keys={['[', ']', 'x', 'z']} text={t('keysHelp.mask')} />
      </dl>
      <label class="row">
        <input
          type="checkbox"
          checked={settings.shortcuts}
          onChange={(event) => change({ shortcuts: event.currentTarget.checked })}
        />
        {t('keysHelp.enabled')}
      </label>
      <div class="row">
        <Button className="push" onClick={onClose}>
          {t('close')}
        </Button>
      </div>
    </Dialog>
  );
}

function Row({ keys, text }: { keys: readonly string[]; text: string }) {
  return (
    <>
      <dt class="row">
        {keys.map((key) => (
          <kbd key={key} class="kbd">
            {key}
          </kbd>
        ))}
      </dt>
      <dd>{text}</dd>
    </>
  );
}
