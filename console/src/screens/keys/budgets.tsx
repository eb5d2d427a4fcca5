import type { OwnBudget } from '../../api/types.ts';
import { Icon } from '../../components/icon.tsx';
import { BudgetBar } from '../../components/meter.tsx';
import { formatUsd } from '../../format/money.ts';
import { formatRelative } from '../../format/relative.ts';
import { formatTime } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { keys } from '../../strings/keys.ts';
import { tightestOf } from './key-draft.ts';

/** The budget of a key that is used up most, as a bar with a sentence. */
export function TightestBudget({ name, spending }: { name: string; spending: readonly OwnBudget[] }) {
  const t = useText(keys);
  const { language } = useSettings().settings;
  const budget = tightestOf(spending);
  if (!budget) return <span class="muted">{t('noBudget')}</span>;
  const { window, spent_micro_usd: spent, held_micro_usd: held, limit_micro_usd: limit } = budget;
  const usd = (amount: number) => formatUsd(amount, language);
  const text =
    held > 0
      ? t(`usedHeld.${window}`, { spent: usd(spent), held: usd(held), limit: usd(limit) })
      : t(`used.${window}`, { used: usd(spent), limit: usd(limit) });
  const isExhausted = !budget.soft && spent + held >= limit;
  return (
    <div class="stack stack-tight">
      <BudgetBar label={`${name}: ${text}`} spent={spent} held={held} limit={limit} />
      <span class="faint num">{text}</span>
      {isExhausted ? (
        <span class="budget-flag">
          <Icon name="failed" />
          {budget.resets_at
            ? t('exhaustedUntil', { time: `${formatTime(budget.resets_at, language, { utc: true })} UTC` })
            : t('exhausted')}
        </span>
      ) : null}
    </div>
  );
}

/** All budgets of a key with the figures of their current windows. */
export function BudgetList({ spending }: { spending: readonly OwnBudget[] }) {
  const t = useText(keys);
  return (
    <section class="stack">
      <h3>{t('budgets')}</h3>
      {spending.length === 0 ? <span class="muted">{t('noBudget')}</span> : null}
      {spending.map((budget) => (
        <BudgetRow key={budget.name} budget={budget} />
      ))}
    </section>
  );
}

function BudgetRow({ budget }: { budget: OwnBudget }) {
  const t = useText(keys);
  const { language } = useSettings().settings;
  const { spent_micro_usd: spent, held_micro_usd: held, limit_micro_usd: limit } = budget;
  const values = {
    window: t(`window.${budget.window}`),
    spent: formatUsd(spent, language),
    held: formatUsd(held, language),
    limit: formatUsd(limit, language),
  };
  return (
    <div class="stack stack-sm">
      <div class="row row-between">
        <span class="strong">{budget.soft ? t('softWindow', values) : values.window}</span>
        <span class="num">{values.limit}</span>
      </div>
      <BudgetBar label={t('bar', values)} spent={spent} held={held} limit={limit} />
      <div class="row row-between faint">
        <span class="num">{t('spentHeld', values)}</span>
        <span class="num">
          {budget.resets_at
            ? t('resets', { when: formatRelative(budget.resets_at, Date.now(), language) })
            : t('neverResets')}
        </span>
      </div>
    </div>
  );
}

/** Explains the bars. */
export function BarLegend() {
  const t = useText(keys);
  return (
    <span class="row push faint">
      <Swatch className="meter-spent" />
      {t('spent')}
      <Swatch className="meter-held" />
      {t('held')}
    </span>
  );
}

function Swatch({ className }: { className: string }) {
  return (
    <svg class="swatch" aria-hidden="true">
      <rect class={className} width="100%" height="100%" />
    </svg>
  );
}
