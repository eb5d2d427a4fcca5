import type { ComponentChildren } from 'preact';

/** A table that scrolls sideways within its own region, which the keyboard can reach. */
export function TableRegion({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: The keyboard scrolls the region only if it can have the focus.
    <section class="table-scroll" tabIndex={0} aria-label={label}>
      <table class="table">{children}</table>
    </section>
  );
}
