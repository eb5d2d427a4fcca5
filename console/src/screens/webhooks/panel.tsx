import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../../components/button.tsx';
import { changeQuery } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { useKeys } from '../../lib/shortcuts.ts';
import { common } from '../../strings/common.ts';

interface Props {
  /** Name of the panel for screen readers. */
  readonly label: string;
  readonly badge: ComponentChildren;
  readonly title: string;
  /** Value of the query that keeps the panel open. */
  readonly name: 'delivery' | 'endpoint';
  readonly children: ComponentChildren;
}

/** The inspector. It has the focus when it opens, because it lies below the tables on narrow screens. */
export function Panel({ label, badge, title, name, children }: Props) {
  const t = useText(common);
  const heading = useRef<HTMLHeadingElement>(null);
  const close = () => changeQuery({ [name]: undefined });
  useEffect(() => {
    // An address that was opened directly does not move the focus.
    if (document.activeElement === document.body) return;
    heading.current?.focus({ preventScroll: innerWidth > inspectorMinWidth });
  }, []);
  useKeys({ Escape: close });
  return (
    <aside class="inspector stack" aria-label={label}>
      <div class="row">
        {badge}
        <h2 class="truncate" tabIndex={-1} ref={heading} title={title}>
          {title}
        </h2>
        <Button kind="quiet" size="sm" icon="close" label={t('close')} className="push" onClick={close} />
      </div>
      {children}
    </aside>
  );
}

/** Width of the window from which on the inspector is a column beside the tables, in pixels. */
const inspectorMinWidth = 1200;
