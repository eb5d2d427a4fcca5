import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { useSession } from '../lib/context.ts';
import { useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';
import { AccountButton } from './account.tsx';
import { OfflineBadge } from './badge.tsx';
import { KeyBudget } from './key-budget.tsx';

interface Props {
  /** Heading of the page and title of the tab. */
  readonly title: string;
  /** The heading, if it holds more than the title. */
  readonly heading?: ComponentChildren;
  /** Actions at the right of the top bar. Default: the budget of the key. */
  readonly actions?: ComponentChildren;
  /** `page` is one column; the others are columns that the screen fills. */
  readonly layout?: 'page' | 'split' | 'split-form';
  readonly children: ComponentChildren;
}

/** The top bar and the content of a screen. */
export function Page({ title, heading, actions, layout = 'page', children }: Props) {
  const t = useText(common);
  const { isLive } = useSession();
  useEffect(() => {
    document.title = t('title', { screen: title });
  }, [title, t]);
  return (
    <>
      <header class="topbar">
        <h1 class="topbar-title">{heading ?? title}</h1>
        {isLive ? null : <OfflineBadge isLong />}
        <div class="row push">{actions ?? <KeyBudget />}</div>
        <AccountButton />
      </header>
      {layout === 'page' ? (
        <main class="page" id="content" tabIndex={-1}>
          <div class="page-inner stack stack-lg">{children}</div>
        </main>
      ) : (
        <main class={layout === 'split' ? 'split' : 'split split-form'} id="content" tabIndex={-1}>
          {children}
        </main>
      )}
    </>
  );
}
