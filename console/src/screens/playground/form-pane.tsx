import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Model, Preset } from '../../api/types.ts';
import type { Estimate } from '../../api/use-estimate.ts';
import type { Submitting } from '../../api/use-submission.ts';
import { SelectField } from '../../components/field.tsx';
import { Note } from '../../components/note.tsx';
import { RadioSegments } from '../../components/segmented.tsx';
import { Stepper } from '../../components/stepper.tsx';
import { useCan, useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { Advanced } from './advanced.tsx';
import { CostFoot, useObstacle } from './cost-foot.tsx';
import { fieldErrors } from './field-errors.ts';
import { type Form, fitToModel, maxPreviewsOf } from './form.ts';
import type { Changes, FormProps } from './form-props.ts';
import { Inputs } from './inputs.tsx';
import { PresetFields } from './preset-fields.tsx';
import { PromptField } from './prompt-field.tsx';
import { findModel } from './reuse.ts';
import { SizeField } from './size-field.tsx';
import { texts } from './texts.ts';

interface Props {
  readonly form: Form;
  readonly change: (changes: Changes) => void;
  /** Models that the key may use. */
  readonly models: readonly Model[];
  readonly presets: readonly Preset[];
  readonly estimate: Estimate;
  readonly submitting: Submitting;
  /** The request of the form as JSON. */
  readonly body: string;
  /** Shown above the fields. */
  readonly top: ComponentChildren;
  readonly onGenerate: () => void;
}

const maxImages = 10;

/** The form of the request, with its cost and the button that generates. */
export function FormPane(props: Props) {
  const { form, change, models, presets, estimate, submitting } = props;
  const t = useText(texts);
  const canWrite = useCan()('images:write');
  const model = modelOf(form, models, estimate);
  const errors = fieldErrors(submitting.error ?? estimate.error);
  const fields: FormProps = { form, change, model, errors };
  const { generate, ...click } = useClick(props);
  return (
    <form
      class="form-pane"
      aria-label={t('form')}
      onSubmit={(event) => {
        event.preventDefault();
        generate();
      }}
      onKeyDown={(event) => {
        const isSubmit = event.key === 'Enter' && (event.metaKey || event.ctrlKey) && !event.repeat;
        if (isSubmit) event.currentTarget.requestSubmit();
      }}
    >
      <fieldset class="form-scroll stack" disabled={!canWrite}>
        {canWrite ? null : (
          <Note icon="keys">{t.rich('readOnly', { scope: <code>images:write</code> })}</Note>
        )}
        {props.top}
        <PromptField {...fields} preset={presets.find(({ name }) => name === form.preset)} />
        <PresetFields {...fields} presets={presets} />
        <Inputs {...fields} />
        <ModelField {...fields} models={models} />
        <SizeField {...fields} />
        <QualityField {...fields} />
        <Counts {...fields} />
        <Advanced {...fields} />
      </fieldset>
      <CostFoot
        form={form}
        estimate={estimate}
        isBusy={submitting.pending !== null}
        onConfirm={props.onGenerate}
        {...click}
      />
    </form>
  );
}

/**
 * Handles the click that generates. It never spends more than the amount on the screen: while the price of the latest change
 * is fetched the click waits for it, and has an effect only if the price is not higher.
 */
function useClick({ form, estimate, submitting, body, onGenerate }: Props) {
  const [isConfirming, setConfirming] = useState(false);
  /** The request of a click that waits, with the amount that it saw. */
  const [waiting, setWaiting] = useState<{ body: string; high: number | null } | null>(null);
  const isBlocked = useObstacle(form, estimate) !== null || submitting.pending !== null;
  const high = estimate.preview?.estimate.high_micro_usd;
  const generate = () => {
    // Keys submit the form even if its button is disabled.
    if (isBlocked || high === undefined) return;
    if (estimate.isLoading) setWaiting({ body, high });
    else if (high === null) setConfirming(true);
    else onGenerate();
  };
  const isWaiting = waiting !== null && waiting.body === body && !isBlocked;
  useEffect(() => {
    if (!waiting || (isWaiting && estimate.isLoading)) return;
    setWaiting(null);
    const isHigher = typeof high === 'number' && (waiting.high === null || high > waiting.high);
    if (isWaiting && !isHigher) generate();
  }, [waiting, isWaiting, estimate.isLoading]);
  return { generate, isWaiting, isConfirming, onClose: () => setConfirming(false) };
}

/** Returns the chosen model, or the default of the deployment, which an estimate names. */
function modelOf(form: Form, models: readonly Model[], { preview }: Estimate): Model | undefined {
  return findModel(models, form.model || preview?.request.model) ?? models[0];
}

function ModelField({ form, change, models, errors }: FormProps & { models: readonly Model[] }) {
  const t = useText(texts);
  const { self } = useSession();
  const [reset, setReset] = useState<readonly string[]>([]);
  const choose = (id: string) => {
    const next = models.find((model) => model.id === id);
    const adjusted = next
      ? fitToModel({ ...form, model: id }, next)
      : { form: { ...form, model: id }, reset: [] };
    setReset(adjusted.reset);
    change(adjusted.form);
  };
  return (
    <SelectField
      label={t('model')}
      value={form.model}
      onValue={choose}
      error={errors.get('/model')}
      hint={
        reset.length > 0 ? <span role="status">{t('reset', { fields: reset.join(', ') })}</span> : undefined
      }
      options={[
        ...(self.models ? [] : [{ value: '', text: t('model.default') }]),
        ...models.map(({ id, description, status }) => ({
          value: id,
          text: [id, status === 'deprecated' ? t('model.deprecated') : description]
            .filter(Boolean)
            .join(': '),
        })),
      ]}
    />
  );
}

function QualityField({ form, change, model }: FormProps) {
  const t = useText(texts);
  const qualities = model?.qualities ?? [];
  if (qualities.length === 0) return null;
  const named = qualities.includes('auto') ? qualities : ['', ...qualities];
  return (
    <RadioSegments
      legend={t('quality')}
      value={form.quality === '' && qualities.includes('auto') ? 'auto' : form.quality}
      onValue={(quality) => change({ quality: quality === 'auto' ? '' : quality })}
      segments={named.map((value) => ({
        value,
        content: <span class="segment-text">{qualityName(value, t)}</span>,
      }))}
    />
  );
}

const qualityNames = ['auto', 'low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd'] as const;

function qualityName(value: string, t: ReturnType<typeof useText<keyof typeof texts.en>>): string {
  const known = qualityNames.find((name) => name === (value || 'auto'));
  return known ? t(`quality.${known}`) : value;
}

function Counts({ form, change, model, errors }: FormProps) {
  const t = useText(texts);
  const max = Math.min(maxImages, model?.max_n ?? maxImages);
  const maxPreviews = maxPreviewsOf(model);
  return (
    <div class="field-pair">
      <Stepper
        label={t('images')}
        note={`1–${max}`}
        value={form.n}
        min={1}
        max={max}
        onValue={(n) => change({ n })}
        fewer={t('images.fewer')}
        more={t('images.more')}
        error={errors.get('/n')}
      />
      <Stepper
        label={t('previews')}
        note={`0–${maxPreviews}`}
        value={form.previews}
        min={0}
        max={maxPreviews}
        onValue={(previews) => change({ previews })}
        fewer={t('previews.fewer')}
        more={t('previews.more')}
        isDisabled={maxPreviews === 0}
        error={errors.get('/partial_images')}
      />
    </div>
  );
}
