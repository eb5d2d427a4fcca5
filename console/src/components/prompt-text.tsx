/** Length in characters from which a prompt may be higher than its area, and scrolls within it. */
const longFrom = 300;

/** A prompt in its own direction. A long one scrolls, so that the facts below it stay in sight. */
export function PromptText({ text, className = '' }: { text: string; className?: string }) {
  const isLong = text.length >= longFrom;
  return (
    <p
      class={`prompt-text ${isLong ? 'prompt-long' : ''} ${className}`}
      dir="auto"
      tabIndex={isLong ? 0 : undefined}
    >
      {text}
    </p>
  );
}
