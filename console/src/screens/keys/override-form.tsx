import { useState } from 'preact/hooks';
import type { ApiError } from '../../api/api-error.ts';
import { asApiError } from '../../api/use-live.ts';
import { useRepetition } from '../../api/use-repetition.ts';
import { Button } from '../../components/button.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { parseUsd } from '../../format/parse-usd.ts';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { keys } from '../../strings/keys.ts';
import type { Window } from './key-draft.ts';

interface Props {
  /** Path of the overrides of a key or a tenant. */
  readonly path: string;
  readonly windows: readonly Window[];
  readonly onDone: () => void;
}

/** Returns midnight after tomorrow in UTC, which leaves more than a day. */
const defaultEnd = () => `${new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10)}T00:00`;

/** Raises the budgets of a key or a tenant until a time. */
export function OverrideForm({ path, windows, onDone }: Props) {
  const t = useText(keys);
  const { api, toast } = useSession();
  const [amount, setAmount] = useState('');
  const [until, setUntil] = useState(defaultEnd);
  const [window, setWindow] = useState('');
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [state, setState] = useState<'ready' | 'busy' | 'wrong'>('ready');
  const repetition = useRepetition();

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const microUsd = parseUsd(amount);
    if (!microUsd) return setState('wrong');
    setState('busy');
    setFailure(null);
    try {
      const body = { amount_micro_usd: microUsd, until: `${until}:00Z`, ...(window ? { window } : {}) };
      await api.call(path, { body, idempotencyKey: repetition.key() });
      repetition.succeeded();
      setAmount('');
      toast(t('raise.done'));
      onDone();
    } catch (error) {
      const failure = asApiError(error);
      repetition.failed(failure);
      setFailure(failure);
    }
    setState('ready');
  }

  if (windows.length === 0) return null;
  const all = { value: '', text: t('raise.all') };
  return (
    <form class="stack stack-sm" onSubmit={(event) => void submit(event)}>
      <h3>{t('raise.title')}</h3>
      <div class="stack stack-sm">
        <TextField
          label={t('raise.amount')}
          isNumber
          value={amount}
          onValue={setAmount}
          input={{ inputMode: 'decimal', placeholder: '10.00' }}
          error={state === 'wrong' ? t('wrong.amount') : undefined}
        />
        <TextField
          label={t('raise.until')}
          isNumber
          value={until}
          onValue={setUntil}
          input={{ type: 'datetime-local', required: true }}
        />
      </div>
      {windows.length > 1 ? (
        <SelectField
          label={t('raise.window')}
          value={window}
          onValue={setWindow}
          options={[all, ...windows.map((value) => ({ value, text: t(`window.${value}`) }))]}
        />
      ) : null}
      {failure ? <ProblemNote error={failure} isAlert /> : null}
      <Button type="submit" isBusy={state === 'busy'}>
        {t('raise.submit')}
      </Button>
    </form>
  );
}
