import type { ComponentChildren, JSX } from 'preact';
import { Icon, type IconName } from './icon.tsx';

type Native = Omit<JSX.IntrinsicElements['button'], 'size' | 'icon' | 'class' | 'disabled'>;

export interface ButtonProps extends Native {
  readonly kind?: 'default' | 'primary' | 'quiet' | 'danger';
  readonly size?: 'sm' | 'md' | 'lg';
  readonly icon?: IconName;
  /** Name of a button that shows only its icon. */
  readonly label?: string;
  readonly isBusy?: boolean;
  readonly isDisabled?: boolean;
  /** Further classes, such as `button-block`. */
  readonly className?: string;
  readonly children?: ComponentChildren;
}

/** Returns the classes of a button, also for links that look like one. */
export function buttonClass(
  options: Pick<ButtonProps, 'kind' | 'size' | 'className'> & { isIcon?: boolean },
) {
  const { kind = 'default', size = 'md', isIcon = false, className = '' } = options;
  return [
    'button',
    kind === 'default' ? '' : `button-${kind}`,
    size === 'md' ? '' : `button-${size}`,
    isIcon ? 'button-icon' : '',
    className,
  ]
    .filter(Boolean)
    .join(' ');
}

/** A button. A busy button shows a ring and cannot be pressed again. */
export function Button(props: ButtonProps) {
  const {
    kind,
    size,
    icon,
    label,
    isBusy = false,
    isDisabled = false,
    className,
    children,
    ...native
  } = props;
  const isIcon = children === undefined;
  const shown = isBusy ? 'ring' : icon;
  return (
    <button
      type="button"
      {...native}
      class={buttonClass({ kind, size, className, isIcon } as Parameters<typeof buttonClass>[0])}
      aria-label={label}
      title={native.title ?? (isIcon ? label : undefined)}
      aria-busy={isBusy || undefined}
      disabled={isDisabled || isBusy}
    >
      {shown ? <Icon name={shown} /> : null}
      {children}
    </button>
  );
}
