import { useState } from 'preact/hooks';
import type { ImageJob } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { parseUsd } from '../../format/parse-usd.ts';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { job as table } from '../../strings/job.ts';

interface Props {
  readonly job: ImageJob;
  readonly onSettled: (job: ImageJob) => void;
  readonly onClose: () => void;
}

/** States the amount of a charge that is possible. */
export function SettleDialog({ job, onSettled, onClose }: Props) {
  const t = useText(table);
  const c = useText(common);
  const { api, toast, refreshSelf } = useSession();
  const [amount, setAmount] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const microUsd = parseUsd(amount);
  const settle = async () => {
    setBusy(true);
    setError(null);
    try {
      onSettled(await api.call<ImageJob>(`/images/${job.id}/settle`, { body: { micro_usd: microUsd } }));
      toast(t('settled'));
      refreshSelf();
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t('settle.title')} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (microUsd !== null) void settle();
        }}
      >
        <p class="muted">{t('settle.text')}</p>
        <TextField
          label={t('settle.amount')}
          note="USD"
          hint={t('settle.hint')}
          value={amount}
          onValue={setAmount}
          isNumber
          input={{ inputMode: 'decimal', placeholder: '0.0414', autocomplete: 'off' }}
          error={amount !== '' && microUsd === null ? t('settle.invalid') : undefined}
        />
        {error ? <ProblemNote error={asApiError(error)} isAlert /> : null}
        <div class="row">
          <Button className="push" onClick={onClose}>
            {c('cancel')}
          </Button>
          <Button kind="primary" type="submit" isBusy={isBusy} isDisabled={microUsd === null}>
            {t('settle')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
