import type { Preset } from '../../api/types.ts';
import { SelectField, TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { choosePreset } from './form.ts';
import type { FormProps } from './form-props.ts';
import { texts } from './texts.ts';

/** The preset and its variables. */
export function PresetFields({ form, change, errors, presets }: FormProps & { presets: readonly Preset[] }) {
  const t = useText(texts);
  const { self } = useSession();
  const preset = presets.find(({ name }) => name === form.preset);
  return (
    <SelectField
      label={t('preset')}
      value={form.preset}
      onValue={(name) =>
        change(
          choosePreset(
            form,
            presets.find((each) => each.name === name),
          ),
        )
      }
      error={errors.get('/preset')}
      hint={preset?.description}
      options={[
        ...(self.presets_only ? [] : [{ value: '', text: t('preset.none') }]),
        ...presets.map(({ name }) => ({ value: name, text: name })),
      ]}
      below={preset ? <Variables form={form} change={change} preset={preset} errors={errors} /> : undefined}
    />
  );
}

type VariablesProps = Pick<FormProps, 'form' | 'change' | 'errors'> & { readonly preset: Preset };

function Variables({ form, change, preset, errors }: VariablesProps) {
  const t = useText(texts);
  const entries = Object.entries(preset.variables);
  if (entries.length === 0) return null;
  const changed = Object.values(form.variables).filter((value) => value.trim() !== '').length;
  const set = (name: string, value: string) => change({ variables: { ...form.variables, [name]: value } });
  const isRequired = entries.some(([, variable]) => variable.default === null);
  return (
    <details class="disclosure-plain" open={isRequired}>
      <summary class="row faint">
        <Icon name="chevron" />
        {t('preset.variables')}
        <span class="push">{changed > 0 ? t('preset.changed', { count: changed }) : null}</span>
      </summary>
      <div class="stack stack-sm preset-variables">
        {entries.map(([name, { description, default: fallback, one_of }]) => {
          const error = errors.get(`/preset/variables/${name}`);
          const shared = { label: <code>{name}</code>, hint: description, ...(error ? { error } : {}) };
          const value = form.variables[name] ?? '';
          return one_of ? (
            <SelectField
              key={name}
              {...shared}
              value={value}
              onValue={(next) => set(name, next)}
              options={[
                { value: '', text: t('preset.default', { value: fallback ?? '' }) },
                ...one_of.filter((each) => each !== fallback).map((each) => ({ value: each, text: each })),
              ]}
            />
          ) : (
            <TextField
              key={name}
              {...shared}
              {...(fallback === null ? { note: t('required') } : {})}
              value={value}
              onValue={(next) => set(name, next)}
              input={{ placeholder: fallback ?? '' }}
            />
          );
        })}
      </div>
    </details>
  );
}
