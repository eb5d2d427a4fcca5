import type { ComponentChildren } from 'preact';
import { useSession } from '../lib/context.ts';
import { useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';
import { Button, type ButtonProps } from './button.tsx';

interface Props {
  readonly text: string | (() => string);
  /** Name of the button; the visible text if absent. */
  readonly label?: string;
  readonly kind?: ButtonProps['kind'];
  readonly className?: string;
  readonly children?: ComponentChildren;
}

/** Copies a text and confirms it. */
export function CopyButton({ text, label, kind, className, children }: Props) {
  const t = useText(common);
  const { toast } = useSession();
  const copy = async () => {
    await copyText(typeof text === 'function' ? text() : text);
    toast(t('copied'));
  };
  return (
    <Button
      size="sm"
      icon="copy"
      {...(kind ? { kind } : {})}
      {...(className ? { className } : {})}
      {...(label ? { label } : {})}
      onClick={() => void copy()}
    >
      {children}
    </Button>
  );
}

/** Copies a text, also on a page over plain http, where browsers have no clipboard. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.className = 'visually-hidden';
  area.value = text;
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
