import { exactAmount, formatUsd } from '../format/money.ts';
import { useSettings, useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';

/** An amount. Null is the word "unknown", never zero. The title has the exact amount. */
export function Money(props: { microUsd: number | null | undefined; isSimulated?: boolean }) {
  const t = useText(common);
  const { language } = useSettings().settings;
  const { microUsd, isSimulated = false } = props;
  if (microUsd === null || microUsd === undefined) {
    return (
      <span class="money money-unknown" title={t('money.unknownWhy')}>
        {t('money.unknown')}
      </span>
    );
  }
  const exact = exactAmount(microUsd, language);
  return (
    <span
      class={isSimulated ? 'money money-offline' : 'money'}
      title={isSimulated ? t('money.simulatedExact', { exact }) : exact}
    >
      {formatUsd(microUsd, language)}
    </span>
  );
}

/** Says that an amount is simulated. */
export function SimulatedNote() {
  const t = useText(common);
  return <span class="faint">{t('money.simulated')}</span>;
}
