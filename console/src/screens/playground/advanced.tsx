import { Field, SelectField, TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { useText } from '../../lib/settings.ts';
import { type Form, faultOf, formatsOf } from './form.ts';
import type { FormProps } from './form-props.ts';
import { texts } from './texts.ts';

/** The fields that few requests need. */
export function Advanced(props: FormProps) {
  const t = useText(texts);
  return (
    <details class="disclosure">
      <summary>
        <Icon name="chevron" />
        {t('advanced')}
        <span class="faint push">{t('advanced.note')}</span>
      </summary>
      <div class="stack">
        <Output {...props} />
        <Extras {...props} />
      </div>
    </details>
  );
}

/** The enhancement, the format and further parameters of the model. */
function Output({ form, change, model, errors }: FormProps) {
  const t = useText(texts);
  const choice = (field: keyof Form & ('outputFormat' | 'background' | 'moderation' | 'inputFidelity')) => ({
    value: form[field],
    onValue: (value: string) => change({ [field]: value }),
  });
  const options = (values: readonly string[]) => [
    { value: '', text: t('default') },
    ...values.map((value) => ({ value, text: value })),
  ];
  const backgrounds = model?.backgrounds ?? [];
  const moderations = model?.moderations ?? [];
  const fidelities = form.inputs.length > 0 ? (model?.input_fidelities ?? []) : [];
  return (
    <>
      <SelectField
        label={t('enhance.mode')}
        value={form.enhance}
        onValue={(enhance) => change({ enhance })}
        options={[
          { value: '', text: t('default') },
          { value: 'off', text: t('enhance.off') },
          { value: 'auto', text: t('enhance.auto') },
          { value: 'always', text: t('enhance.always') },
        ]}
      />
      <div class="field-pair">
        <SelectField
          label={t('format')}
          {...choice('outputFormat')}
          options={options(model ? formatsOf(model) : [])}
          error={errors.get('/output_format')}
        />
        {backgrounds.length > 0 ? (
          <SelectField
            label={t('background')}
            {...choice('background')}
            options={options(backgrounds)}
            error={errors.get('/background')}
          />
        ) : null}
      </div>
      <div class="field-pair">
        {moderations.length > 0 ? (
          <SelectField label={t('moderation')} {...choice('moderation')} options={options(moderations)} />
        ) : null}
        {fidelities.length > 0 ? (
          <SelectField label={t('fidelity')} {...choice('inputFidelity')} options={options(fidelities)} />
        ) : null}
      </div>
    </>
  );
}

/** The limit, the webhook and the metadata of the job. */
function Extras({ form, change, errors }: FormProps) {
  const t = useText(texts);
  const fault = faultOf(form);
  return (
    <>
      <TextField
        label={t('maxCost')}
        note={t('optional')}
        hint={t('maxCost.hint')}
        value={form.maxCost}
        onValue={(maxCost) => change({ maxCost })}
        input={{ inputMode: 'decimal', placeholder: '0.10' }}
        error={fault === 'maxCost' ? t('fault.maxCost') : errors.get('/max_cost_micro_usd')}
        isNumber
      />
      <TextField
        label={t('webhook')}
        note={t('optional')}
        value={form.webhook}
        onValue={(webhook) => change({ webhook })}
        input={{ type: 'url', placeholder: 'https://' }}
        error={errors.get('/webhook')}
      />
      <Field
        label={t('metadata')}
        note={t('optional')}
        hint={t('metadata.hint')}
        error={fault === 'metadata' ? t('fault.metadata') : errors.get('/metadata')}
      >
        {(attributes) => (
          <textarea
            class="textarea mono"
            rows={2}
            {...attributes}
            value={form.metadata}
            placeholder="campaign=spring"
            onInput={(event) => change({ metadata: event.currentTarget.value })}
          />
        )}
      </Field>
    </>
  );
}
