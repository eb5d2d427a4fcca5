import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

/** An empty state: what is missing, and the next action. */
export function EmptyState(props: {
  icon: IconName;
  title: string;
  text: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <div class="state">
      <Icon name={props.icon} />
      <h2>{props.title}</h2>
      <p>{props.text}</p>
      {props.children ? <div class="row row-wrap state-actions">{props.children}</div> : null}
    </div>
  );
}

const skeletonDelayMs = 150;

/** Shows a skeleton only if loading takes longer than a moment, so that fast pages do not flicker. */
export function Delayed({ children }: { children: ComponentChildren }) {
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), skeletonDelayMs);
    return () => clearTimeout(timer);
  }, []);
  return <>{isShown ? children : null}</>;
}

/** Lines in the shape of a text or a table that is loading. */
export function SkeletonLines({ count = 3 }: { count?: number }) {
  return (
    <Delayed>
      <div class="stack stack-sm" aria-busy="true">
        {Array.from({ length: count }, (_, i) => (
          <div key={i} class={`skeleton line-skeleton ${i === count - 1 ? 'line-short' : ''}`} />
        ))}
      </div>
    </Delayed>
  );
}
