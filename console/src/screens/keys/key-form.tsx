import { useState } from 'preact/hooks';
import type { ManagedKey, NewKey } from '../../api/types.ts';
import { useCreation } from '../../api/use-creation.ts';
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
import { bodyOf, changesOf, draftOf, type FieldName, type KeyDraft, newDraft } from './key-draft.ts';
import { KeySummary } from './key-summary.tsx';
import { CountFields, ExpiryField, RightFields } from './rule-fields.tsx';

interface Props {
  /** The key to change; null creates one. */
  readonly apiKey: ManagedKey | null;
  /** Tenant that the operator works for. */
  readonly tenant: string;
  readonly onCreated: (key: NewKey) => void;
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

/** The drawer that creates or changes a key. */
export function KeyForm({ apiKey, tenant, onCreated, onChanged, onClose }: Props) {
  const t = useText(keys);
  const cancel = useText(common)('cancel');
  const { self } = useSession();
  const [draft, setDraft] = useState<KeyDraft>(() => (apiKey ? draftOf(apiKey) : { ...newDraft, tenant }));
  const { submit, wrong, failure, isBusy } = useSubmit(draft, { apiKey, onCreated, onChanged });
  const change = (changes: Partial<KeyDraft>) => setDraft((before) => ({ ...before, ...changes }));
  const fields = { draft, change, wrong };
  return (
    <Dialog
      isDrawer
      title={apiKey ? t('form.edit', { name: apiKey.name }) : t('form.create')}
      onClose={onClose}
    >
      <form class="stack" noValidate onSubmit={(event) => void submit(event)}>
        <TextField
          label={t('name')}
          hint={t('form.nameHint')}
          value={draft.name}
          onValue={(name) => change({ name })}
          error={wrong.has('name') ? t('wrong.name') : undefined}
          input={{ autoComplete: 'off', maxLength: 100 }}
        />
        {self.operator && !apiKey ? (
          <TextField
            label={t('tenant')}
            value={draft.tenant}
            onValue={(value) => change({ tenant: value.trim() })}
            input={{ autoComplete: 'off', required: true }}
          />
        ) : null}
        <BudgetFields {...fields} />
        <RightFields {...fields} />
        <CountFields {...fields} />
        <ExpiryField {...fields} />
        <KeySummary draft={draft} />
        {failure ? <ProblemNote error={asApiError(failure)} isAlert /> : null}
        <div class="row">
          <Button className="push" onClick={onClose}>
            {cancel}
          </Button>
          <Button type="submit" kind="primary" isBusy={isBusy}>
            {apiKey ? t('form.submitEdit') : t('create')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Sends the form. A repeated creation has the same key, so that it makes no second API key. */
function useSubmit(draft: KeyDraft, { apiKey, onCreated, onChanged }: Omit<Props, 'tenant' | 'onClose'>) {
  const t = useText(keys);
  const { api, toast } = useSession();
  const create = useCreation<NewKey>({ path: '/keys', secret: 'key', rotate: 'rotate' });
  const [wrong, setWrong] = useState<ReadonlySet<FieldName>>(new Set());
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);

  useFaultFocus(wrong);
  async function send(body: object): Promise<void> {
    if (apiKey) {
      await api.call(`/keys/${apiKey.id}`, { method: 'PATCH', body });
      toast(t('saved'));
      return onChanged();
    }
    onCreated(await create(body));
  }

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const outcome = bodyOf(draft, Date.now());
    setFailure(null);
    setWrong(new Set('wrong' in outcome ? outcome.wrong : []));
    if ('wrong' in outcome) return;
    setBusy(true);
    try {
      await send(apiKey ? changesOf(outcome.body, apiKey) : outcome.body);
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  }
  return { submit, wrong, failure, isBusy };
}
