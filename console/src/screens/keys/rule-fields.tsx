import type { List, Model } from '../../api/types.ts';
import { useLive } from '../../api/use-live.ts';
import { TextField } from '../../components/field.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { keys } from '../../strings/keys.ts';
import { type FieldsProps, offeredScopes } from './key-draft.ts';

/** Scopes, models and prompts of a key. */
export function RightFields({ draft, change }: FieldsProps) {
  const t = useText(keys);
  const { api } = useSession();
  const models = useLive((signal) => api.call<List<Model>>('/models', { signal }), []);
  const toggled = (list: readonly string[], value: string) =>
    list.includes(value) ? list.filter((each) => each !== value) : [...list, value];
  const usable = models.data?.data.filter(
    ({ id, status }) => status !== 'retired' || draft.models.includes(id),
  );
  return (
    <>
      <fieldset class="field">
        <legend class="label">{t('scopes')}</legend>
        <div class="row row-wrap">
          {offeredScopes.map((scope) => (
            <Check
              key={scope}
              text={scope}
              isChecked={draft.scopes.includes(scope)}
              onChange={() => change({ scopes: toggled(draft.scopes, scope) })}
            />
          ))}
        </div>
      </fieldset>
      <fieldset class="field">
        <legend class="label">{t('models')}</legend>
        <div class="row row-wrap">
          {usable?.map(({ id }) => (
            <Check
              key={id}
              text={id}
              isChecked={draft.models.includes(id)}
              onChange={() => change({ models: toggled(draft.models, id) })}
            />
          ))}
        </div>
        <p class="field-hint">{t('form.modelsHint')}</p>
      </fieldset>
      <Check
        text={t('form.presetsOnly')}
        isChecked={draft.presetsOnly}
        onChange={() => change({ presetsOnly: !draft.presetsOnly })}
      />
    </>
  );
}

function Check(props: { text: string; isChecked: boolean; onChange: () => void }) {
  return (
    <label class="row">
      <input type="checkbox" checked={props.isChecked} onChange={props.onChange} />
      {props.text}
    </label>
  );
}

/** Limits of a key or a tenant. */
export function CountFields({ draft, change, wrong }: FieldsProps) {
  const t = useText(keys);
  const count = (field: 'requestsPerMinute' | 'concurrentJobs' | 'queuedJobs') => ({
    isNumber: true,
    value: draft[field],
    onValue: (value: string) => change({ [field]: value }),
    error: wrong.has(field) ? t('wrong.count') : undefined,
    input: { inputMode: 'numeric' as const, placeholder: t('noLimit') },
  });
  return (
    <>
      <TextField label={t('form.requests')} {...count('requestsPerMinute')} />
      <div class="field-pair">
        <TextField label={t('runningJobs')} {...count('concurrentJobs')} />
        <TextField label={t('waitingJobs')} {...count('queuedJobs')} />
      </div>
    </>
  );
}

/** The expiry of a key. */
export function ExpiryField({ draft, change, wrong }: FieldsProps) {
  const t = useText(keys);
  return (
    <TextField
      label={t('form.expires')}
      isNumber
      value={draft.expires}
      onValue={(expires) => change({ expires })}
      error={wrong.has('expires') ? t('wrong.expires') : undefined}
      input={{ type: 'datetime-local' }}
    />
  );
}
