import { formatUsd } from '../../format/money.ts';
import { parseUsd } from '../../format/parse-usd.ts';
import { formatTime } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { keys } from '../../strings/keys.ts';
import type { KeyDraft } from './key-draft.ts';

/** Sentences about the rights and the budgets of the key in a form. They follow every change. */
export function KeySummary({ draft }: { draft: KeyDraft }) {
  const t = useText(keys);
  const lines = useSummary(draft);
  return (
    <section class="note" aria-live="polite" aria-label={t('form.summary')}>
      <div class="grow stack stack-tight">
        <strong>{t('form.summary')}</strong>
        <ul class="list-plain">
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </div>
    </section>
  );
}

function useSummary({ scopes, budgets, models, presetsOnly, expires }: KeyDraft): string[] {
  const t = useText(keys);
  const { language } = useSettings().settings;
  const isAdmin = scopes.includes('admin');
  const canWrite = isAdmin || scopes.includes('images:write');
  const amounts = budgets.flatMap(({ window, dollars, soft }) => {
    const microUsd = parseUsd(dollars);
    return microUsd === null ? [] : [{ window, soft, amount: formatUsd(microUsd, language) }];
  });
  const spends = amounts.map(({ window, soft, amount }) =>
    soft ? t('summary.soft', { amount }) : t(`summary.${window}`, { amount }),
  );
  const isUnlimited = amounts.every(({ soft }) => soft);
  return [
    ...(isAdmin ? [t('summary.admin')] : []),
    ...(canWrite ? [] : [t('summary.noWrite')]),
    ...(canWrite ? spends : []),
    ...(canWrite && isUnlimited ? [t('summary.unlimited')] : []),
    ...(canWrite
      ? [models.length > 0 ? t('summary.models', { count: models.length }) : t('summary.allModels')]
      : []),
    ...(canWrite && presetsOnly ? [t('summary.presets')] : []),
    ...(expires
      ? [t('summary.expires', { time: `${formatTime(`${expires}:00Z`, language, { utc: true })} UTC` })]
      : []),
  ];
}
