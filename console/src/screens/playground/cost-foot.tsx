import type { Estimate } from '../../api/use-estimate.ts';
import { Button } from '../../components/button.tsx';
import { exceedsBudget, Warnings } from '../../components/cost-bounds.tsx';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { FieldError } from '../../components/field.tsx';
import { Money, SimulatedNote } from '../../components/money.tsx';
import { formatDuration } from '../../format/time.ts';
import { useCan, useSession } from '../../lib/context.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { type Form, faultOf, isComplete } from './form.ts';
import { texts } from './texts.ts';

interface Props {
  readonly form: Form;
  readonly estimate: Estimate;
  readonly isBusy: boolean;
  /** Whether a click waits for the current price. */
  readonly isWaiting: boolean;
  /** Whether the user must confirm a request with an unknown cost. */
  readonly isConfirming: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** The cost before the click, and the button. They never scroll away. */
export function CostFoot(props: Props) {
  const { form, estimate, isBusy, isWaiting, isConfirming, onConfirm, onClose } = props;
  const t = useText(texts);
  const reason = useObstacle(form, estimate);
  const isOverBudget = reason === t('overBudget');
  return (
    <div class="form-foot stack stack-sm">
      <CostLine estimate={estimate} isEmpty={form.prompt.trim() === ''} isOverBudget={isOverBudget} />
      {isOverBudget ? null : <Warnings warnings={estimate.preview?.warnings} />}
      {reason && form.prompt.trim() !== '' ? <FieldError text={reason} id="generate-reason" /> : null}
      <Button
        kind="primary"
        size="lg"
        type="submit"
        className="button-block"
        isBusy={isBusy || isWaiting}
        isDisabled={reason !== null || !estimate.preview}
        title={reason ?? undefined}
        aria-describedby={reason ? 'generate-reason' : undefined}
      >
        {isBusy ? t('generating') : t('generate', { count: form.n })}
        <kbd class="kbd wide-only">{/Mac|iPhone|iPad/.test(navigator.platform) ? '⌘ ↵' : 'Ctrl ↵'}</kbd>
      </Button>
      {isConfirming ? (
        <ConfirmDialog
          title={t('confirmUnknown.title')}
          text={t('confirmUnknown.text')}
          keep={t('confirmUnknown.keep')}
          confirm={t('generate', { count: form.n })}
          onConfirm={onConfirm}
          onClose={onClose}
        />
      ) : null}
    </div>
  );
}

/** Returns the reason why the form cannot be sent; null if it can. */
export function useObstacle(form: Form, { preview, error }: Estimate): string | null {
  const t = useText(texts);
  const { self } = useSession();
  const canWrite = useCan()('images:write');
  if (!canWrite) return t('readOnly.reason');
  if (form.prompt.trim() === '') return t('needsPrompt');
  const fault = faultOf(form);
  if (fault) return t(`fault.${fault}`);
  if (!isComplete(form)) return t('needsUploads');
  if (error?.isPassing) return t('cost.notFetched');
  if (error) return error.message;
  const high = preview?.estimate.high_micro_usd;
  if (exceedsBudget(self, high)) return t('overBudget');
  return null;
}

function CostLine(props: { estimate: Estimate; isEmpty: boolean; isOverBudget: boolean }) {
  const { estimate, isEmpty, isOverBudget } = props;
  const t = useText(texts);
  const { language } = useSettings().settings;
  const c = useText(common);
  const { isLive } = useSession();
  const { preview, isLoading, error } = estimate;
  // The amount of an earlier request says nothing about one that is refused.
  if (!preview || (error && !error.isPassing)) {
    return (
      <div class="cost-line" aria-live="polite">
        <span class="faint">{c('money.atMost')}</span>
        <span class="cost-amount faint">{isEmpty ? t('cost.afterPrompt') : isLoading ? '…' : '–'}</span>
      </div>
    );
  }
  const { low_micro_usd: low, high_micro_usd: high, eta_s: eta, queue_depth: depth } = preview.estimate;
  return (
    <div class="cost-line" data-loading={isLoading} aria-live="polite">
      <div class="row row-between faint">
        <span>
          {c('money.atMost')}
          {isLive ? null : (
            <>
              {' · '}
              <SimulatedNote />
            </>
          )}
        </span>
        <span class="num">
          {low === null
            ? null
            : c.rich('money.from', { amount: <Money microUsd={low} isSimulated={!isLive} /> })}
        </span>
      </div>
      <div class="row row-between row-wrap">
        <span class={isOverBudget ? 'cost-amount cost-over' : 'cost-amount'}>
          <Money microUsd={high} isSimulated={!isLive} />
        </span>
        <span class="num faint end-text">
          {eta ? t('cost.time', { time: formatDuration(eta.p50 * 1000, language) }) : null}
          {eta ? ' · ' : null}
          {t('cost.waiting', { count: depth })}
        </span>
      </div>
    </div>
  );
}
