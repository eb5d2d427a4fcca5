import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Button } from './button.tsx';
import type { IconName } from './icon.tsx';

interface DialogProps {
  readonly title: ComponentChildren;
  readonly onClose: () => void;
  /** A drawer lies at the right edge, for longer forms. */
  readonly isDrawer?: boolean;
  readonly className?: string;
  readonly children: ComponentChildren;
}

/**
 * A modal dialog or drawer. It is open as long as it is rendered. The browser returns the focus to its opener, and `Esc`
 * closes it.
 */
export function Dialog({ title, onClose, isDrawer = false, className = '', children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    element.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  const reopen = () => {
    const { current } = element;
    if (current?.isConnected && !current.open) current.showModal();
  };
  return (
    <dialog
      ref={element}
      class={`${isDrawer ? 'drawer' : 'dialog'} ${className}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClose={() => {
        // After some presses of Esc the browser closes any dialog, also one that shows a secret.
        onClose();
        setTimeout(reopen);
      }}
    >
      <div class="stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  /** A question with the number of things. */
  readonly title: string;
  readonly text: ComponentChildren;
  /** The safe action, which comes first. */
  readonly keep: string;
  readonly confirm: string;
  readonly icon?: IconName;
  /** Rejects if the action fails. The dialog then remains open, and shows what `onError` returns. */
  readonly onConfirm: () => Promise<void> | void;
  readonly onError?: (error: unknown) => ComponentChildren;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
  readonly isDisabled?: boolean;
}

/** Confirms an action that cannot be undone. */
export function ConfirmDialog(props: ConfirmProps) {
  const {
    title,
    text,
    keep,
    confirm,
    icon,
    onConfirm,
    onError,
    onClose,
    children,
    isDisabled = false,
  } = props;
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ComponentChildren>(null);
  const act = async () => {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setBusy(false);
      setProblem(onError?.(error) ?? String(error));
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p class="muted">{text}</p>
      {children}
      {problem}
      <div class="row">
        <Button className="push" onClick={onClose}>
          {keep}
        </Button>
        <Button
          kind="danger"
          isBusy={isBusy}
          isDisabled={isDisabled}
          onClick={() => void act()}
          {...(icon ? { icon } : {})}
        >
          {confirm}
        </Button>
      </div>
    </Dialog>
  );
}

/** Moves the focus to the first wrong field of the open dialog after each check, because it may be out of sight. */
export function useFaultFocus(faults: ReadonlySet<string>): void {
  useEffect(() => document.querySelector<HTMLElement>('dialog [aria-invalid]')?.focus(), [faults]);
}
