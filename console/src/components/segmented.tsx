import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

export interface Segment {
  readonly value: string;
  readonly content: ComponentChildren;
  /** Reason why the value cannot be chosen. */
  readonly disabledBecause?: string | undefined;
}

interface RadioProps {
  readonly legend: ComponentChildren;
  readonly value: string;
  readonly segments: readonly Segment[];
  readonly onValue: (value: string) => void;
  /** Whether each segment has a drawing above its text. */
  readonly isTall?: boolean;
  readonly isDisabled?: boolean;
}

/** A choice of one value, all of them visible. A value that cannot be chosen says why. */
export function RadioSegments({ legend, value, segments, onValue, isTall = false, isDisabled }: RadioProps) {
  const name = useId();
  return (
    <fieldset class="field" disabled={isDisabled ?? false}>
      <legend class="label">{legend}</legend>
      <div class="segmented">
        {segments.map((segment) => (
          <label
            key={segment.value}
            class={isTall ? 'segment segment-tall' : 'segment'}
            title={segment.disabledBecause}
          >
            <input
              type="radio"
              name={name}
              value={segment.value}
              checked={segment.value === value}
              disabled={segment.disabledBecause !== undefined}
              onChange={() => onValue(segment.value)}
            />
            {segment.content}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface TabsProps {
  readonly label: string;
  readonly value: string;
  readonly tabs: readonly { readonly value: string; readonly text: string }[];
  readonly onValue: (value: string) => void;
  /** Id of the panel that the tabs change. */
  readonly controls: string;
}

/** Tabs. Arrow keys move between them. */
export function Tabs({ label, value, tabs, onValue, controls }: TabsProps) {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.value === value);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (!next) return;
    onValue(next.value);
    list.current?.querySelector<HTMLElement>(`[data-value="${next.value}"]`)?.focus();
  };
  return (
    <div class="segmented" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
      {tabs.map((tab) => (
        <button
          key={tab.value}
          type="button"
          role="tab"
          class="segment"
          data-value={tab.value}
          aria-selected={tab.value === value}
          aria-controls={controls}
          tabIndex={tab.value === value ? 0 : -1}
          onClick={() => onValue(tab.value)}
        >
          {tab.text}
        </button>
      ))}
    </div>
  );
}
