import type { ComponentChildren } from 'preact';

/** A table that scrolls sideways within its own region, which the keyboard can reach. */
export function TableRegion({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <section class="table-scroll" tabIndex={0} aria-label={label}>
      <table class="table">{children}</table>
    </section>
  );
}
