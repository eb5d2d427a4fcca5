import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Badge } from '../../components/badge.tsx';
import type { IconName } from '../../components/icon.tsx';
import { useText } from '../../lib/settings.ts';
import { system } from '../../strings/system.ts';
import type { PartName } from './parts.ts';

const looks: Readonly<Record<string, { status: string; icon: IconName }>> = {
  ok: { status: 'healthy', icon: 'success' },
  degraded: { status: 'failing', icon: 'warning' },
  down: { status: 'failed', icon: 'failed' },
};

/** A card of a part with its state, and the fault if there is one. */
export function PartCard(props: {
  name: PartName;
  part: { readonly state: string; readonly detail: string | null };
  children: ComponentChildren;
}) {
  const { name, part, children } = props;
  const t = useText(system);
  const id = useId();
  const look = looks[part.state];
  const known = ['ok', 'degraded', 'down', 'unknown'].includes(part.state);
  return (
    <section class="card" aria-labelledby={id}>
      <div class="card-head">
        <h2 id={id}>{t(`part.${name}`)}</h2>
        <span class="push">
          <Badge {...(look ?? {})}>{known ? t(`state.${part.state as 'ok'}`) : part.state}</Badge>
        </span>
      </div>
      {part.detail ? <p class="card-body system-detail">{part.detail}</p> : null}
      {children}
    </section>
  );
}

/** Names and values of a card. A null value is the word "unknown". */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  const t = useText(system);
  return (
    <dl class="facts card-body">
      {facts.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd class="num">{value ?? <span class="faint">{t('unknown')}</span>}</dd>
        </>
      ))}
    </dl>
  );
}
