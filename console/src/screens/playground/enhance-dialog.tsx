import { useState } from 'preact/hooks';
import type { EnhancementPreview } from '../../api/types.ts';
import { type Live, useLive } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { CostBounds, exceedsBudget } from '../../components/cost-bounds.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { FieldError } from '../../components/field.tsx';
import { Money, SimulatedNote } from '../../components/money.tsx';
import { Note } from '../../components/note.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { PromptText } from '../../components/prompt-text.tsx';
import { SkeletonLines } from '../../components/state.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { texts } from './texts.ts';
import type { Enhancing } from './use-enhancement.ts';

interface Props {
  readonly prompt: string;
  /** Request of the enhancement as JSON. */
  readonly body: string;
  readonly enhancing: Enhancing;
  readonly onUse: (prompt: string) => void;
  readonly onClose: () => void;
}

/** Shows what an enhancement costs, and after its call the enhanced prompt beside the original one. */
export function EnhanceDialog({ prompt, body, enhancing, onUse, onClose }: Props) {
  const t = useText(texts);
  const { result, isBusy, error, enhance, drop } = enhancing;
  const [edited, setEdited] = useState<string | null>(null);
  const text = edited ?? result?.enhanced ?? '';
  const discard = () => {
    if (result) drop();
    onClose();
  };
  return (
    <Dialog title={t(result ? 'enhance.title' : 'enhance.ask')} onClose={onClose} className="dialog-wide">
      <div class="enhance-pair">
        <section class="stack stack-sm">
          <h3>{t('enhance.original')}</h3>
          <PromptText text={prompt} />
        </section>
        <section class="stack stack-sm" aria-busy={isBusy}>
          <h3 id="enhanced">{t('enhance.enhanced')}</h3>
          {result ? (
            <textarea
              class="textarea"
              dir="auto"
              rows={8}
              aria-labelledby="enhanced"
              value={text}
              onInput={(event) => setEdited(event.currentTarget.value)}
            />
          ) : isBusy ? (
            <SkeletonLines count={5} />
          ) : (
            <p class="muted">{t('enhance.about')}</p>
          )}
        </section>
      </div>
      {error ? <ProblemNote error={error} isAlert onRetry={() => void enhance()} /> : null}
      {result ? (
        <Chosen
          cost={result.cost.micro_usd}
          isDisabled={text.trim() === ''}
          onDiscard={discard}
          onUse={() => {
            onUse(text);
            discard();
          }}
        />
      ) : (
        <Asked body={body} isBusy={isBusy} onEnhance={() => void enhance()} onDiscard={discard} />
      )}
    </Dialog>
  );
}

/** The cost of the call before it is made. */
function Asked(props: { body: string; isBusy: boolean; onEnhance: () => void; onDiscard: () => void }) {
  const { body, isBusy, onEnhance, onDiscard } = props;
  const t = useText(texts);
  const { api, self } = useSession();
  const preview: Live<EnhancementPreview> = useLive(
    (signal) => {
      const query = { dry_run: true };
      return api.call('/prompts/enhance', { query, body: JSON.parse(body) as unknown, signal });
    },
    [body],
  );
  const high = preview.data?.estimate.high_micro_usd;
  const isOver = exceedsBudget(self, high);
  return (
    <>
      {preview.error ? <ProblemNote error={preview.error} onRetry={preview.refresh} /> : null}
      <CostBounds preview={preview} isOver={isOver} />
      {isOver ? <FieldError text={t('overBudget')} /> : null}
      {high === null ? (
        <Note tone="warning" icon="warning">
          {t('confirmUnknown.text')}
        </Note>
      ) : null}
      <div class="row row-wrap">
        <Button className="push" onClick={onDiscard}>
          {t('enhance.keep')}
        </Button>
        <Button
          kind="primary"
          icon="enhance"
          isBusy={isBusy}
          isDisabled={preview.data === undefined || preview.error !== null || isOver}
          onClick={onEnhance}
        >
          {t(high === null ? 'enhance.runUnknown' : 'enhance.run')}
        </Button>
      </div>
    </>
  );
}

/** The cost of the call, and the choice of a prompt. */
function Chosen(props: {
  cost: number | null;
  isDisabled: boolean;
  onDiscard: () => void;
  onUse: () => void;
}) {
  const t = useText(texts);
  const { isLive } = useSession();
  return (
    <div class="row row-wrap">
      <span class="faint" role="status">
        {t('enhance.cost')} <Money microUsd={props.cost} isSimulated={!isLive} />{' '}
        {isLive ? null : <SimulatedNote />}
      </span>
      <Button className="push" onClick={props.onDiscard}>
        {t('enhance.keep')}
      </Button>
      <Button kind="primary" isDisabled={props.isDisabled} onClick={props.onUse}>
        {t('enhance.use')}
      </Button>
    </div>
  );
}
