import { useState } from 'preact/hooks';
import type { Tenant } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { Dialog, useFaultFocus } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { keys } from '../../strings/keys.ts';
import { BudgetFields } from './budget-fields.tsx';
import { bodyOf, type FieldName, type KeyDraft, newDraft, rulesOf } from './key-draft.ts';
import { CountFields } from './rule-fields.tsx';

interface Props {
  readonly tenant: Tenant;
  readonly path: string;
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

/** The drawer that changes the rules for all keys of a tenant together. */
export function TenantForm({ tenant, path, onChanged, onClose }: Props) {
  const t = useText(keys);
  const cancel = useText(common)('cancel');
  const [draft, setDraft] = useState<KeyDraft>(() => ({
    ...newDraft,
    ...rulesOf(tenant),
    name: tenant.name,
  }));
  const [weight, setWeight] = useState(String(tenant.weight));
  const { submit, wrong, failure, isBusy } = useSubmit({ draft, weight, path, onChanged });
  const change = (changes: Partial<KeyDraft>) => setDraft((before) => ({ ...before, ...changes }));
  const isWeightWrong = wrong.size > 0 && weightOf(weight) === null;
  return (
    <Dialog isDrawer title={t('form.edit', { name: tenant.name })} onClose={onClose}>
      <form class="stack" noValidate onSubmit={(event) => void submit(event)}>
        <BudgetFields draft={draft} change={change} wrong={wrong} />
        <CountFields draft={draft} change={change} wrong={wrong} />
        <TextField
          label={t('tenant.weight')}
          hint={t('tenant.weightHint')}
          isNumber
          value={weight}
          onValue={setWeight}
          error={isWeightWrong ? t('wrong.weight') : undefined}
          input={{ inputMode: 'numeric' }}
        />
        {failure ? <ProblemNote error={asApiError(failure)} isAlert /> : null}
        <div class="row">
          <Button className="push" onClick={onClose}>
            {cancel}
          </Button>
          <Button type="submit" kind="primary" isBusy={isBusy}>
            {t('form.submitEdit')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Returns a weight of 1 to 100; null if the text is none. */
const weightOf = (text: string): number | null =>
  /^([1-9]\d?|100)$/.test(text.trim()) ? Number(text.trim()) : null;

interface Sending extends Pick<Props, 'path' | 'onChanged'> {
  readonly draft: KeyDraft;
  readonly weight: string;
}

function useSubmit({ draft, weight, path, onChanged }: Sending) {
  const t = useText(keys);
  const { api, toast } = useSession();
  const [wrong, setWrong] = useState<ReadonlySet<FieldName | 'weight'>>(new Set());
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  useFaultFocus(wrong);
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const outcome = bodyOf(draft, Date.now());
    const value = weightOf(weight);
    const faults = new Set<FieldName | 'weight'>('wrong' in outcome ? outcome.wrong : []);
    if (value === null) faults.add('weight');
    setWrong(faults);
    setFailure(null);
    if ('wrong' in outcome || value === null) return;
    setBusy(true);
    try {
      const { limits, budgets } = outcome.body;
      await api.call(path, { method: 'PATCH', body: { limits, budgets, weight: value } });
      toast(t('tenant.done'));
      onChanged();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  }
  return { submit, wrong: wrong as ReadonlySet<FieldName>, failure, isBusy };
}
