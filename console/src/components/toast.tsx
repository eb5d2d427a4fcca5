import { useCallback, useEffect, useState } from 'preact/hooks';
import { useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';

interface Message {
  readonly id: number;
  readonly text: string;
}

const shownMs = 6_000;
const maxToasts = 3;

/** Returns the toasts of the page, and the function that shows another one. */
export function useToasts() {
  const [messages, setMessages] = useState<readonly Message[]>([]);
  const toast = useCallback((text: string) => {
    setMessages((before) => [...before, { id: (before.at(-1)?.id ?? 0) + 1, text }].slice(-maxToasts));
  }, []);
  const remove = useCallback((id: number) => {
    setMessages((before) => before.filter((each) => each.id !== id));
  }, []);
  return { messages, toast, remove };
}

/** The toasts. They confirm finished actions, and stay while the pointer or the focus is on them. */
export function Toasts({ messages, remove }: Pick<ReturnType<typeof useToasts>, 'messages' | 'remove'>) {
  return (
    <div class="toasts" role="status">
      {messages.map((message) => (
        <Toast key={message.id} text={message.text} onClose={() => remove(message.id)} />
      ))}
    </div>
  );
}

function Toast({ text, onClose }: { text: string; onClose: () => void }) {
  const t = useText(common);
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (isHeld) return;
    const timer = setTimeout(onClose, shownMs);
    return () => clearTimeout(timer);
  }, [isHeld]);
  return (
    <div
      class="toast"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocusCapture={() => setHeld(true)}
      onBlurCapture={() => setHeld(false)}
    >
      <Icon name="success" />
      <span class="grow">{text}</span>
      <Button kind="quiet" size="sm" icon="close" label={t('closeMessage')} onClick={onClose} />
    </div>
  );
}
