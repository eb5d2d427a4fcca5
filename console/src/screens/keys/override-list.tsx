import { useState } from 'preact/hooks';
import type { ManagedKey } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { formatUsd } from '../../format/money.ts';
import { formatTime } from '../../format/time.ts';
import { useSession } from '../../lib/context.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { keys } from '../../strings/keys.ts';

interface Props {
  /** Path of the overrides of a key or a tenant. */
  readonly path: string;
  readonly overrides: ManagedKey['budget_overrides'];
  readonly onDone: () => void;
}

/** The raises of budgets that apply, and the button that ends them. */
export function OverrideList({ path, overrides, onDone }: Props) {
  const t = useText(keys);
  const { api, toast } = useSession();
  const { language } = useSettings().settings;
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);

  async function end(): Promise<void> {
    setBusy(true);
    setFailure(null);
    try {
      await api.call(path, { method: 'DELETE' });
      toast(t('raise.ended'));
      onDone();
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  }

  if (overrides.length === 0) return null;
  return (
    <section class="stack stack-sm">
      <h3>{t('raise.list')}</h3>
      {overrides.map(({ amount_micro_usd: amount, until, window }, i) => (
        <span key={i} class="num">
          {t('raise.item', {
            amount: formatUsd(amount, language),
            window: window === null ? t('raise.all') : window === 'other' ? window : t(`window.${window}`),
            time: `${formatTime(until, language, { utc: true })} UTC`,
          })}
        </span>
      ))}
      {failure ? <ProblemNote error={asApiError(failure)} isAlert /> : null}
      <div class="row">
        <Button size="sm" isBusy={isBusy} onClick={() => void end()}>
          {t('raise.end')}
        </Button>
      </div>
    </section>
  );
}
