import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

interface Props {
  readonly tone?: 'success' | 'warning' | 'danger';
  readonly icon: IconName;
  /** `alert` only after an action of the user. */
  readonly role?: 'alert' | 'status';
  readonly action?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A note in the flow of the page. */
export function Note({ tone, icon, role, action, children }: Props) {
  return (
    <div class="note" data-tone={tone} role={role}>
      <Icon name={icon} />
      <div class="grow stack stack-sm">{children}</div>
      {action}
    </div>
  );
}
