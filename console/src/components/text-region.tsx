interface Props {
  readonly label: string;
  readonly text: string;
  /** Further classes besides `code`, such as `code-plain`. */
  readonly className?: string;
}

/** A code, an id or a response as text. It scrolls within its own region, which the keyboard can reach. */
export function TextRegion({ label, text, className = 'code-plain' }: Props) {
  return (
    <pre class={`code ${className}`} role="region" tabIndex={0} aria-label={label}>
      {text}
    </pre>
  );
}
