import type { ImagePreview, OwnKey } from '../api/types.ts';
import { useSession } from '../lib/context.ts';
import { useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';
import { Money, SimulatedNote } from './money.tsx';
import { Note } from './note.tsx';

interface Props {
  readonly preview: {
    readonly data: Pick<ImagePreview, 'estimate' | 'warnings'> | undefined;
    readonly isLoading: boolean;
  };
  readonly isOver?: boolean;
}

/** The most and the least that a call can cost, and the remarks of its dry run. */
export function CostBounds({ preview, isOver = false }: Props) {
  const t = useText(common);
  const { isLive } = useSession();
  const { data, isLoading } = preview;
  const low = data?.estimate.low_micro_usd ?? null;
  return (
    <>
      <p class="row row-wrap" data-loading={isLoading} aria-live="polite">
        <span class="muted">{t('money.atMost')}</span>
        <span class={isOver ? 'strong cost-over' : 'strong'}>
          {isLoading && !data ? (
            <span class="faint">…</span>
          ) : (
            <Money microUsd={data?.estimate.high_micro_usd} isSimulated={!isLive} />
          )}
        </span>
        {low === null ? null : (
          <span class="faint num">
            {t.rich('money.from', { amount: <Money microUsd={low} isSimulated={!isLive} /> })}
          </span>
        )}
        {isLive ? null : <SimulatedNote />}
      </p>
      {isOver ? null : <Warnings warnings={data?.warnings} />}
    </>
  );
}

/** The remarks of a dry run, for example that a budget would refuse the request. */
export function Warnings({ warnings = [] }: { warnings?: readonly string[] | undefined }) {
  return (
    <>
      {warnings.map((warning) => (
        <Note key={warning} tone="warning" icon="warning">
          {warning}
        </Note>
      ))}
    </>
  );
}

/** Returns whether a hard budget of the key has less left than an amount. An unknown amount exceeds none. */
export function exceedsBudget({ budgets }: OwnKey, microUsd: number | null | undefined): boolean {
  if (typeof microUsd !== 'number') return false;
  return budgets.some(({ soft, remaining_micro_usd: left }) => !soft && microUsd > left);
}
