import { useEffect, useRef, useState } from 'preact/hooks';
import { type ApiError, isAbort } from '../../api/client.ts';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import type { Enhancement } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Money, SimulatedNote } from '../../components/money.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { SkeletonLines } from '../../components/state.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { texts } from './texts.ts';

interface Props {
  readonly prompt: string;
  /** Preset of the request, which the language model knows. */
  readonly preset: unknown;
  readonly onUse: (prompt: string) => void;
  readonly onClose: () => void;
}

/** Shows a prompt beside its enhancement. The preview is one paid call, which a repeat does not pay again. */
export function EnhanceDialog({ prompt, preset, onUse, onClose }: Props) {
  const t = useText(texts);
  const { api, isLive, refreshSelf } = useSession();
  const [result, setResult] = useState<Enhancement | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [attempt, setAttempt] = useState(0);
  const key = useRef(newIdempotencyKey());
  useEffect(() => {
    const controller = new AbortController();
    setError(null);
    const body = preset === undefined || preset === '' ? { prompt } : { prompt, preset };
    api
      .call<Enhancement>('/prompts/enhance', { body, idempotencyKey: key.current, signal: controller.signal })
      .then(
        (enhancement) => {
          setResult(enhancement);
          refreshSelf();
        },
        (failure: unknown) => (isAbort(failure) ? undefined : setError(asApiError(failure))),
      );
    return () => controller.abort();
  }, [attempt]);
  return (
    <Dialog title={t('enhance.title')} onClose={onClose} className="dialog-wide">
      <div class="enhance-pair">
        <section class="stack stack-sm">
          <h3>{t('enhance.original')}</h3>
          <p class="enhance-text" dir="auto">
            {prompt}
          </p>
        </section>
        <section class="stack stack-sm" aria-busy={result === null && error === null}>
          <h3>{t('enhance.enhanced')}</h3>
          {result ? (
            <p class="enhance-text" dir="auto">
              {result.enhanced}
            </p>
          ) : null}
          {result || error ? null : <SkeletonLines count={5} />}
        </section>
      </div>
      {error ? <ProblemNote error={error} isAlert onRetry={() => setAttempt(attempt + 1)} /> : null}
      <div class="row row-wrap">
        {result ? (
          <span class="faint">
            {t('enhance.cost')} <Money microUsd={result.cost.micro_usd} isSimulated={!isLive} />{' '}
            {isLive ? null : <SimulatedNote />}
          </span>
        ) : null}
        <Button className="push" onClick={onClose}>
          {t('enhance.keep')}
        </Button>
        <Button
          kind="primary"
          isDisabled={result === null}
          onClick={() => {
            if (result) onUse(result.enhanced);
            onClose();
          }}
        >
          {t('enhance.use')}
        </Button>
      </div>
    </Dialog>
  );
}
